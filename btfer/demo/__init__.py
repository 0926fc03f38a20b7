"""`btfer demo`: the whole line on the built-in synthetic sample, with the real code of every stage.

line       crawl to release; people's two rounds are played from the verdicts that the sample records
benchmark  networks of three sizes, trained on the sample's training part and ranked on the release
story      what happened, gathered from the catalogue, the release and the runs
pictures   photos, crops and pairs, small enough to stand in a page
page       `index.html`, which tells the story and needs no other file
judge      `btfer demo --review`: a data folder in which nobody has judged yet

Run again, it goes on where it stopped.
"""

from btfer.demo.judge import await_people
from btfer.demo.line import demo_settings, sample_release
from btfer.demo.whole import run

__all__ = ["await_people", "demo_settings", "run", "sample_release"]
