/* SPDX-License-Identifier: Apache-2.0 */
/* esign.js: conveniences for pages that work without it: countdowns, showing a word, copying a PIN,
 * filling in the code, focus on a problem, one request per press, a light first load. And the two
 * ways past a picture: one press to listen, and the calculation of work.js. */
(() => {
    'use strict';

    const each = (selector, action) => document.querySelectorAll(selector).forEach(action);
    const unit = name => new Intl.NumberFormat(document.documentElement.lang,
        { style: 'unit', unit: name, unitDisplay: 'long' });
    const minute = unit('minute'), second = unit('second');

    const duration = seconds => {
        const minutes = Math.floor(seconds / 60), rest = seconds % 60;
        return [minutes ? minute.format(minutes) : '', rest || !minutes ? second.format(rest) : '']
            .filter(Boolean).join(' ');
    };

    /* Reads the clock instead of counting ticks: a computer that slept must not show a PIN
     * longer. */
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

    /* The page with a PIN: removes the PIN first, because the next page may not load. */
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

    const status = (place, name) => {
        const line = document.createElement('p');
        line.setAttribute('role', 'status');
        line.className = name;
        place.after(line);
        return line;
    };

    /* Copies the digits without the gaps that CSS shows. */
    const copy = digits => {
        if (!navigator.clipboard)
            return;
        const button = document.createElement('button');
        const term = digits.closest('dl').querySelector('dt').textContent;
        let clear;
        button.type = 'button';
        button.className = 'copy';
        button.textContent = digits.dataset.copy;
        button.setAttribute('aria-label', digits.dataset.copy + ': ' + term);
        digits.after(button);
        const line = status(button, 'copied');
        const say = text => {
            clearTimeout(clear);
            line.textContent = text;
            clear = setTimeout(() => { line.textContent = ''; }, 5000);
        };
        button.addEventListener('click', () =>
            navigator.clipboard.writeText(digits.textContent.trim())
                .then(() => say(digits.dataset.done), () => say(digits.dataset.failed)));
    };

    /* Fills in the code of the SMS, if the browser can read it and the person allows it. Does not
     * send it, so that a screen reader can say first what happened. */
    const receive = input => {
        if (!window.OTPCredential)
            return;
        const line = status(input.parentNode, 'filled'), stop = new AbortController();
        input.form.addEventListener('submit', () => stop.abort());
        addEventListener('pagehide', () => stop.abort());
        const asked = { otp: { transport: ['sms'] }, signal: stop.signal };
        navigator.credentials.get(asked).then(otp => {
            if (!otp)
                return;
            input.value = otp.code;
            line.textContent = input.dataset.filled;
            input.form.querySelector('.primary').focus();
        }).catch(() => {});
    };

    const reveal = input => {
        const button = document.createElement('button');
        const show = shown => {
            input.type = shown ? 'text' : 'password';
            button.textContent = shown ? input.dataset.hide : input.dataset.show;
            button.setAttribute('aria-label',
                button.textContent + ': ' + input.labels[0].textContent);
        };
        button.type = 'button';
        button.className = 'reveal';
        button.addEventListener('click', () => show(input.type === 'password'));
        input.form.addEventListener('submit', () => show(false));
        input.after(button);
        show(false);
    };

    /* Every press plays from the beginning. The button's text does not change, because a screen
     * reader would speak the change over the sound. */
    const listen = audio => {
        const button = document.createElement('button');
        const controls = () => {
            audio.controls = true;
            audio.className = 'needed';
            button.remove();
        };
        button.type = 'button';
        button.textContent = audio.getAttribute('aria-label');
        button.setAttribute('aria-describedby', audio.getAttribute('aria-describedby'));
        button.addEventListener('click', () => {
            audio.currentTime = 0;
            audio.play().catch(error => error.name !== 'AbortError' && controls());
        });
        audio.controls = false;
        audio.before(button);
    };

    /* All processors but one search, four at most, each a share of the numbers. The first that
     * finds the number ends all. */
    const search = (work, progress) => new Promise((resolve, reject) => {
        const count = Math.min(4, Math.max(1, (navigator.hardwareConcurrency || 2) - 1));
        let tried = 0, searching = count;
        const workers = Array.from({ length: count }, () => new Worker(work.worker));
        const end = (settle, value) => {
            workers.forEach(worker => worker.terminate());
            settle(value);
        };
        workers.forEach((worker, first) => {
            worker.onmessage = ({ data }) => {
                if ('number' in data)
                    return end(resolve, data.number);
                progress(tried += data.tried);
                return data.done && --searching === 0 && end(reject);
            };
            worker.onerror = () => end(reject);
            const { salt, target, max } = work;
            worker.postMessage({ salt, target, max: Number(max), first, step: count });
        });
    });

    const prove = box => {
        const work = box.dataset, number = box.querySelector('[name=work]');
        const form = number.form, answer = form.elements.answer;
        const button = document.createElement('button');
        const bar = document.createElement('progress'), status = document.createElement('p');
        let running = false, waiting = false, told = -1;
        /* Says each quarter to a screen reader, which does not read the bar. */
        const progress = tried => {
            const quarter = Math.floor(tried / work.max * 4) * 25;
            bar.value = tried;
            if (quarter > told && !waiting)
                status.textContent = work.running.replace('#', told = quarter);
        };
        const done = () => {
            const focused = document.activeElement === button;
            box.classList.remove('invalid');
            box.classList.add('done');
            box.replaceChildren(number, status);
            status.textContent = work.done;
            /* Removes its problems from the list of problems. */
            each('.summary a[href="#work"], .summary a[href="#answer"]',
                link => link.closest('li').remove());
            each('.summary ul:empty', list => list.parentNode.remove());
            if (focused)
                status.focus();
            if (!answer)
                return;
            answer.disabled = true;
            answer.value = '';
            answer.removeAttribute('aria-invalid');
            answer.closest('.field').classList.remove('invalid');
            const hint = document.getElementById('answer-hint');
            const problem = document.getElementById('answer-problem');
            hint.textContent = work.needless;
            if (problem)
                problem.remove();
            form.querySelector('.picture').hidden = true;
        };
        const start = () => {
            if (running)
                return;
            running = true;
            bar.hidden = false;
            button.setAttribute('aria-disabled', 'true');
            progress(0);
            search(work, progress).then(found => {
                number.value = found;
                running = false;
                done();
                if (waiting)
                    form.requestSubmit ? form.requestSubmit() : form.submit();
            }, () => {
                running = waiting = false;
                told = -1;
                bar.hidden = true;
                button.hidden = false;
                button.removeAttribute('aria-disabled');
                status.textContent = work.failed;
            });
        };
        /* Sends the form after the calculation, if its button was pressed before. */
        form.addEventListener('submit', event => {
            const other = event.submitter && event.submitter.name === 'new';
            if (!running || other || (answer && answer.value))
                return;
            event.preventDefault();
            event.stopImmediatePropagation();
            waiting = true;
            status.textContent = work.wait;
        }, true);
        button.type = 'button';
        button.textContent = work.button;
        button.hidden = work.alone === 'yes';
        button.addEventListener('click', start);
        bar.max = work.max;
        bar.hidden = true;
        bar.setAttribute('aria-hidden', 'true');
        status.setAttribute('role', 'status');
        status.tabIndex = -1;
        box.append(button, bar, status);
        /* The value in the page: some browsers restore the value of an earlier page. */
        number.value = number.defaultValue;
        if (number.value)
            done();
        else if (work.alone)
            start();
    };

    /* One request per press. After 8 s the form can be sent again, because a connection may be
     * lost. */
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

    /* The browser itself focuses the first field with a problem. A problem without a field is only
     * in the list. */
    const findMistake = summary => document.querySelector('[aria-invalid=true]') || summary.focus();

    /* A page with a picture loads the tab's icon only at the person's first action. Until then the
     * link has an invalid address, because browsers load /favicon.ico if there is no link. */
    const postpone = icon => {
        const address = icon.href, moves = ['keydown', 'pointerdown'];
        const show = () => {
            icon.href = address;
            moves.forEach(move => removeEventListener(move, show));
        };
        icon.href = 'https://';
        moves.forEach(move => addEventListener(move, show));
    };

    each('.success[tabindex]', line => line.focus());
    each('.countdown', countDown);
    each('[data-then]', guard);
    each('[data-show]', reveal);
    each('[data-copy]', copy);
    each('[data-filled]', receive);
    each('.listen audio', listen);
    each('.work', prove);
    each('form[method=post]', once);
    each('.summary', findMistake);
    if (document.images.length)
        each('[rel=icon]', postpone);
})();
