"""Drives a service with OpenAI's own client: create, poll, download, remix, list, delete. Exits with 3 if the client is not installed or has no videos.

openai_client.py URL PROMPT FILE
"""

import sys

try:
    import openai
except ImportError:
    sys.exit(3)

url, prompt, file = sys.argv[1:4]
client = openai.OpenAI(base_url=url + "/v1", api_key="none", timeout=120)
if not hasattr(client, "videos"):
    sys.exit(3)

assert [model.id for model in client.models.list()] == ["nano"]
video = client.videos.create_and_poll(prompt=prompt, model="nano", poll_interval_ms=100)
assert video.status == "completed" and video.progress == 100, video
client.videos.download_content(video.id).write_to_file(file)
assert client.videos.download_content(video.id, variant="thumbnail").read().startswith(b"\xff\xd8")
assert client.videos.download_content(video.id, variant="spritesheet").read().startswith(b"\xff\xd8")

again = client.videos.remix(video.id, prompt="make it night")
assert again.remixed_from_video_id == video.id, again
assert {one.id for one in client.videos.list(limit=1)} == {video.id, again.id}, "all pages of the list"
assert client.videos.delete(again.id).deleted
try:
    client.videos.retrieve(again.id)
    raise AssertionError("a deleted video is still there")
except openai.NotFoundError as error:
    assert error.code == "not_found", error
try:
    client.videos.create(prompt=" ")
    raise AssertionError("an empty prompt was taken")
except openai.BadRequestError as error:
    assert error.param == "prompt", error
