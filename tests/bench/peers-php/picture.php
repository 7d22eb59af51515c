<?php
// SPDX-License-Identifier: Apache-2.0
// picture.php: the plain portal's picture, by GD: five characters, turned and crossed by lines, in
// grey like ours.
declare(strict_types=1);
require __DIR__ . '/common.php';

const FONT = '/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf';

if (!isset($_SESSION['answer'])) {
    renew();
}
$answer = $_SESSION['answer'];
session_write_close();
$image = imagecreatetruecolor(200, 60);
imagefill($image, 0, 0, imagecolorallocate($image, 255, 255, 255));
$ink = imagecolorallocate($image, 40, 40, 40);
for ($i = 0; $i < strlen($answer); $i++) {
    $angle = random_int(-20, 20);
    $baseline = 44 + random_int(-4, 4);
    imagettftext($image, 30, $angle, 12 + 36 * $i, $baseline, $ink, FONT, $answer[$i]);
}
imagesetthickness($image, 2);
for ($i = 0; $i < 4; $i++) {
    imageline($image, 0, random_int(5, 55), 199, random_int(5, 55), $ink);
}
header('Content-Type: image/png');
imagepng($image);
