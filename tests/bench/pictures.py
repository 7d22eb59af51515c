#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""pictures.py: measures how many pictures of a demo an OCR program reads.

usage: pictures.py DEMO-FOLDER [COUNT]      (Debian: apt-get install tesseract-ocr imagemagick)

The program is told the alphabet, and reads each picture after several ways of cleaning it.
"""

import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import tempfile

import requests
from lxml import etree

ALPHABET = "ACDEHKNRT39"
# What ImageMagick does with a picture first. "polar" turns the band back, as far as a blurred copy
# shows where it is.
CLEANINGS = {
    "as it comes": "-resize 300%",
    "blurred": "-resize 300% -blur 0x3 -threshold 50%",
    "lines closed": "-resize 300% -threshold 60% -morphology Close Disk:3",
    "band turned back": (
        "( +clone -blur 0x9 -threshold 50% ) -compose difference -composite -negate -resize 300% "
        "-blur 0x3 -threshold 50%"
    ),
    "band turned back, lines closed": (
        "( +clone -blur 0x14 -threshold 50% ) -compose difference -composite -negate -resize 300% "
        "-threshold 60% -morphology Close Disk:3"
    ),
    "local threshold": "-resize 200% -lat 60x60+5%",
    "edges": "-resize 300% -blur 0x2 -morphology EdgeOut Disk:2 -negate -threshold 50%",
}


def fetch(env, folder, count):
    """Pictures as files; their answers by file."""
    session = requests.Session()
    session.trust_env = False
    session.verify, session.headers["Accept"] = env["CERTIFICATE"], "application/xml"
    challenges = []
    for _ in range(count):
        page = etree.fromstring(session.get(env["URL"] + "login").content)
        challenges.append(page.find(".//challenge").get("value"))
        with open(os.path.join(folder, "%d.png" % len(challenges)), "wb") as file:
            file.write(session.get(env["URL"] + "captcha/%s.png" % challenges[-1]).content)
    done = subprocess.run(
        shlex.split(env["CTL"]) + ["captcha", "answer", "-"],
        input="\n".join(challenges),
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        os.path.join(folder, "%d.png" % (n + 1)): answer
        for n, answer in enumerate(done.stdout.split())
    }


def read(path, cleaning):
    clean = path + ".pgm"
    subprocess.run(
        [
            "convert",
            path,
            *CLEANINGS[cleaning].split(),
            "-bordercolor",
            "white",
            "-border",
            "20",
            clean,
        ],
        check=True,
    )
    command = [
        "tesseract",
        clean,
        "-",
        "--psm",
        "7",
        "-c",
        "tessedit_char_whitelist=" + ALPHABET,
        "-c",
        "load_system_dawg=0",
        "-c",
        "load_freq_dawg=0",
    ]
    text = subprocess.run(
        command, capture_output=True, text=True, env=dict(os.environ, OMP_THREAD_LIMIT="1")
    ).stdout
    return re.sub(r"\s", "", text).upper()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with open(os.path.join(sys.argv[1], "demo.env")) as file:
        env = dict(word.split("=", 1) for line in file for word in shlex.split(line))
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(
        os.cpu_count()
    ) as pool:
        answers = fetch(env, folder, int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
        for cleaning in CLEANINGS:
            texts = pool.map(lambda path: read(path, cleaning), answers)
            print(
                "%-32s %d of %d read"
                % (
                    cleaning,
                    sum(text == answer for text, answer in zip(texts, answers.values())),
                    len(answers),
                ),
                flush=True,
            )


main()
