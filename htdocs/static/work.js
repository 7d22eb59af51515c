/* SPDX-License-Identifier: Apache-2.0 */
/* work.js: a Worker of esign.js that searches its share of the numbers 0 to max for the one for
 * which SHA-256(salt + number) is the target (ALTCHA's scheme). Its own SHA-256 is about ten times
 * as fast as crypto.subtle, which answers each short text through a promise. */
(() => {
    'use strict';

    /* The constants of FIPS 180-4: fractional parts of cube and square roots of the first
     * primes. */
    const K = new Int32Array(64), H = new Int32Array(8);
    const fraction = root => Math.floor((root - Math.floor(root)) * 4294967296) | 0;
    for (let n = 2, found = 0; found < 64; n++) {
        let prime = true;
        for (let d = 2; d * d <= n && prime; d++)
            prime = n % d !== 0;
        if (prime) {
            if (found < 8)
                H[found] = fraction(Math.sqrt(n));
            K[found++] = fraction(Math.cbrt(n));
        }
    }

    /* Hashes one block of 16 words into the state. */
    const W = new Int32Array(64);
    const compress = (state, block, from) => {
        for (let i = 0; i < 16; i++)
            W[i] = block[from + i];
        for (let i = 16; i < 64; i++) {
            const x = W[i - 15], y = W[i - 2];
            W[i] = ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) + W[i - 7] +
                ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10) + W[i - 16] | 0;
        }
        let a = state[0], b = state[1], c = state[2], d = state[3];
        let e = state[4], f = state[5], g = state[6], h = state[7];
        for (let i = 0; i < 64; i++) {
            const t = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) +
                (g ^ e & (f ^ g)) + K[i] + W[i] | 0;
            const u = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) +
                (a & b | c & (a | b)) | 0;
            h = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
        }
        state[0] += a; state[1] += b; state[2] += c; state[3] += d;
        state[4] += e; state[5] += f; state[6] += g; state[7] += h;
    };

    /* Hashes the whole blocks of the salt once. The rest of the salt precedes every number, in one
     * block or two. */
    const prepare = salt => {
        const state = H.slice(), blocks = new Int32Array(32), whole = salt.length & ~63;
        const put = (place, byte) => {
            const shift = 24 - (place & 3) * 8;
            blocks[place >> 2] = blocks[place >> 2] & ~(255 << shift) | byte << shift;
        };
        for (let place = 0; place < whole; place++) {
            put(place & 63, salt.charCodeAt(place));
            if ((place & 63) === 63)
                compress(state, blocks, 0);
        }
        blocks.fill(0);
        for (let place = whole; place < salt.length; place++)
            put(place - whole, salt.charCodeAt(place));
        return { state, blocks, put, rest: salt.length - whole, whole };
    };

    const search = ({ salt, target, first, step, max }) => {
        const { state, blocks, put, rest, whole } = prepare(salt), now = new Int32Array(8);
        const wanted = Int32Array.from({ length: 8 },
            (_, i) => parseInt(target.substr(i * 8, 8), 16));
        let tried = 0, digits = 0;
        for (let number = first; number <= max; number += step) {
            const text = String(number), end = rest + text.length;
            for (let i = 0; i < text.length; i++)
                put(rest + i, text.charCodeAt(i));
            if (text.length !== digits) {
                digits = text.length;
                for (let place = end + 1; place < 128; place++)
                    put(place, 0);
                put(end, 128);
                blocks[end < 56 ? 15 : 31] = (whole + end) * 8;
            }
            now.set(state);
            compress(now, blocks, 0);
            if (end >= 56)
                compress(now, blocks, 16);
            if (now[0] === wanted[0] && now.every((word, i) => word === wanted[i])) {
                postMessage({ number });
                return;
            }
            if (++tried % 20000 === 0)
                postMessage({ tried: 20000 });
        }
        postMessage({ tried: tried % 20000, done: true });
    };

    onmessage = event => search(event.data);
})();
