/* SPDX-License-Identifier: Apache-2.0 */
/* esign.js: small comforts for pages that are complete without it: countdowns, showing a word, a mistake that is at no field, one press one request, a light first load. */
(() => {
    'use strict';

    const each = (selector, action) => document.querySelectorAll(selector).forEach(action);
    const unit = name => new Intl.NumberFormat(document.documentElement.lang, { style: 'unit', unit: name, unitDisplay: 'long' });
    const minute = unit('minute'), second = unit('second');

    const duration = seconds => {
        const minutes = Math.floor(seconds / 60), rest = seconds % 60;
        return [minutes ? minute.format(minutes) : '', rest || !minutes ? second.format(rest) : ''].filter(Boolean).join(' ');
    };

    /* The clock, not the number of ticks, decides: a computer that slept must not show a PIN for longer. */
    const countDown = box => {
        const timer = box.querySelector('[role=timer]');
        if (!timer)
            return;
        const end = Date.now() + box.dataset.seconds * 1000;
        const tick = () => {
            const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
            timer.textContent = duration(left);
            if (left > 0)
                return;
            clearInterval(interval);
            document.removeEventListener('visibilitychange', tick);
            timer.parentNode.hidden = true;
            box.querySelector('[role=status]').textContent = box.dataset.ended;
            if (box.dataset.then)
                leave(box.dataset.then);
        };
        const interval = setInterval(tick, 1000);
        document.addEventListener('visibilitychange', tick);
    };

    /* The page with a PIN: what it shows goes first, in case that the next page does not come. */
    const forget = () => each('.cards', cards => cards.replaceChildren());
    const leave = address => {
        forget();
        location.replace(address);
    };
    const guard = box => {
        addEventListener('pagehide', forget);
        addEventListener('pageshow', event => event.persisted && leave(box.dataset.then));
        each('.leave', link => link.addEventListener('click', event => {
            event.preventDefault();
            leave(link.href);
        }));
    };

    const reveal = input => {
        const button = document.createElement('button');
        const show = shown => {
            input.type = shown ? 'text' : 'password';
            button.textContent = shown ? input.dataset.hide : input.dataset.show;
            button.setAttribute('aria-label', button.textContent + ': ' + input.labels[0].textContent);
        };
        button.type = 'button';
        button.className = 'reveal';
        button.addEventListener('click', () => show(input.type === 'password'));
        input.form.addEventListener('submit', () => show(false));
        input.after(button);
        show(false);
    };

    /* One press, one request; after a while the form opens again, for a connection that was lost. */
    const once = form => {
        let sent = false;
        form.addEventListener('submit', event => {
            if (sent) {
                event.preventDefault();
                return;
            }
            sent = true;
            form.classList.add('sent');
            setTimeout(open, 8000);
        });
        const open = () => {
            sent = false;
            form.classList.remove('sent');
        };
        addEventListener('pageshow', open);
    };

    /* The browser goes to the first field in error by itself; a mistake that is no field's is in the list of them alone. */
    const findMistake = summary => document.querySelector('[aria-invalid=true]') || summary.focus();

    /* A page with a picture loads enough as it is: its tab's icon comes at the person's first move. Until then the link has an address that is none; without any link browsers
     * would ask for /favicon.ico. */
    const postpone = icon => {
        const address = icon.href, moves = ['keydown', 'pointerdown'];
        const show = () => {
            icon.href = address;
            moves.forEach(move => removeEventListener(move, show));
        };
        icon.href = 'https://';
        moves.forEach(move => addEventListener(move, show));
    };

    each('.countdown', countDown);
    each('[data-then]', guard);
    each('[data-show]', reveal);
    each('form[method=post]', once);
    each('.summary', findMistake);
    if (document.images.length)
        each('[rel=icon]', postpone);
})();
