<?php
// SPDX-License-Identifier: Apache-2.0
// common.php: what both pages of the plain portal share: its session and its database.
declare(strict_types=1);

session_start([
    'cookie_secure' => true,
    'cookie_httponly' => true,
    'cookie_samesite' => 'Lax',
    'use_strict_mode' => true,
]);
header("Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; " .
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
header('Referrer-Policy: no-referrer');
header('X-Content-Type-Options: nosniff');
header('X-Frame-Options: DENY');
header('Strict-Transport-Security: max-age=31536000; includeSubDomains');
header('Cache-Control: no-store');

const ALPHABET = 'ACDEHKNRT39';
const COST = ['memory_cost' => 19456, 'time_cost' => 2, 'threads' => 1];

function database(): PDO
{
    return new PDO('sqlite:' . getenv('PEER_DATABASE'), null, null, [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_PERSISTENT => true,
    ]);
}

// A new picture's characters and a new mark of the form.
function renew(): void
{
    $answer = '';
    for ($i = 0; $i < 5; $i++) {
        $answer .= ALPHABET[random_int(0, strlen(ALPHABET) - 1)];
    }
    $_SESSION['answer'] = $answer;
    $_SESSION['token'] = bin2hex(random_bytes(16));
}
