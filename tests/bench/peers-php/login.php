<?php
// SPDX-License-Identifier: Apache-2.0
// login.php: the plain portal's sign-in page: number, picture, word.
declare(strict_types=1);
require __DIR__ . '/common.php';

// Who is not there costs as much as who is.
function sign_in(string $number, string $word): bool
{
    $query = database()->prepare('SELECT word_hash FROM subscriber WHERE national_id = ?');
    $query->execute([$number]);
    $hash = $query->fetchColumn();
    static $nobody = '$argon2id$v=19$m=19456,t=2,p=1$bW9kX2VzaWduIGR1bW15IQ$' .
        'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    return password_verify($word, $hash === false ? $nobody : $hash) && $hash !== false;
}

// Failures are counted in the database, as the waits of a subscriber are.
function failed(string $number): void
{
    $failed = 'UPDATE subscriber SET failures = failures + 1 WHERE national_id = ?';
    database()->prepare($failed)->execute([$number]);
}

$problem = '';
$number = (string) ($_POST['id'] ?? '');
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $ours = (string) ($_SESSION['token'] ?? '');
    $answered = ($_POST['answer'] ?? '') === ($_SESSION['answer'] ?? null);
    if (!hash_equals($ours, (string) ($_POST['token'] ?? '')) || !$answered) {
        $problem = 'The characters are not those of the picture.';
    } elseif (!sign_in($number, (string) ($_POST['word'] ?? ''))) {
        failed($number);
        $problem = 'The number or the security word is not right.';
    } else {
        session_regenerate_id(true);
        $_SESSION = ['subscriber' => $number];
        header('Location: menu.php', true, 303);
        exit;
    }
    http_response_code(422);
}
renew();
$text = fn (string $value): string =>
    htmlspecialchars($value, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
header('Content-Type: text/html; charset=utf-8');
?>
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in</title>
<link rel="stylesheet" href="portal.css">
</head>
<body>
<header><h1>Example Certification Centre</h1></header>
<main>
<h2>Sign in</h2>
<?php if ($problem !== ''): ?><p class="problem" role="alert"><?= $text($problem) ?></p>
<?php endif ?>
<form method="post" action="login.php">
<input type="hidden" name="token" value="<?= $text($_SESSION['token']) ?>">
<label for="id">Identity number</label> <input id="id" name="id" inputmode="numeric"
    autocomplete="username" required value="<?= $text($number) ?>">
<img src="picture.php?<?= $text(substr($_SESSION['token'], 0, 8)) ?>"
    width="200" height="60" alt="Characters to type">
<label for="answer">Characters of the picture</label>
<input id="answer" name="answer" autocomplete="off" required>
<label for="word">Security word</label>
<input id="word" name="word" type="password" autocomplete="current-password" required>
<button>Sign in</button>
</form>
<p><a href="reset.php">I have forgotten my security word</a></p>
</main>
</body>
</html>
