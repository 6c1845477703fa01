"""How far the verdict can be trusted on real containers.

    study.py    what is tried: arms, rotation, delays
    course.py   plays trials as long as there is time, and keeps them
    stored.py   a kept trial, read back
    rules.py    three common rules, on the samples of the same trials
    noise.py    the noise by the length of a pair, and what rounds follow from it
    figures.py  a row for each kind of trial, with bounds
    table.py    the same as text, Markdown and JSON

`python -m tests.bench.trust --hours H`; all but `course` only computes from what is
kept, so that `--hours 0` reports.
"""
