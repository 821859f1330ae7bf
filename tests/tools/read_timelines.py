"""Reads a film's timelines with OpenTimelineIO and its adapters, and compares them with each other.

read_timelines.py FOLDER RATE: reads FOLDER/cut.otio, cut.edl and cut.xml at RATE frames per second.

Prints one line per clip and format. Exits with 3 if the libraries are missing, and with 1 and a message if a timeline is not as expected.
"""
import sys

try:
    import opentimelineio as otio
    if not {"cmx_3600", "fcp_xml"} <= set(otio.adapters.available_adapter_names()):
        raise ImportError
except ImportError:
    sys.exit(3)

folder, rate = sys.argv[1], float(sys.argv[2])
# The film starts at one hour of timecode; at 29.97 fps, 01:00:00;00 (drop frame) is frame 107892.
first = otio.opentime.from_timecode("01:00:00:00", rate) if rate != 30000 / 1001 else otio.opentime.RationalTime(107892, rate)


def clips_of(track):
    return [c for c in track if isinstance(c, otio.schema.Clip)]


def frames(time):
    return round(time.to_frames())


def start_in_film(track, clip):
    """The film's frame at which a clip of a track starts."""
    return frames(track.range_of_child(clip).start_time)


def check(condition, what):
    if not condition:
        sys.exit(f"not as it should be: {what}")


# The .otio is the reference for the other two formats.
timeline = otio.adapters.read_from_file(f"{folder}/cut.otio")
check(timeline.global_start_time == first, f"start {timeline.global_start_time}")
video, audio = timeline.video_tracks(), timeline.audio_tracks()
check(len(video) == 1 and len(audio) == 1, "tracks")
truth = []
for clip in clips_of(video[0]):
    available, used = clip.media_reference.available_range, clip.source_range
    check(available.contains(used), f"{clip.name} lies outside its media")
    check(clip.metadata["fabula"]["head_handle_held"] >= 12 and clip.metadata["fabula"]["tail_handle"] >= 12, f"{clip.name} has no handles")
    for marker in clip.markers:
        check(used.contains(marker.marked_range.start_time), f"the marker {marker.name} lies outside {clip.name}")
        check(marker.comment != "", f"the marker {marker.name} says nothing")
    truth.append((start_in_film(video[0], clip), frames(used.duration), frames(used.start_time), clip.media_reference.target_url))
    print("otio", clip.name, *truth[-1], len(clip.markers), "markers")
check([(start_in_film(audio[0], c), frames(c.source_range.duration)) for c in clips_of(audio[0])] == [t[:2] for t in truth], "the sound's clips")
for transition in [t for t in video[0] if isinstance(t, otio.schema.Transition)]:
    print("otio transition", transition.name, frames(transition.in_offset), frames(transition.out_offset))
check(otio.algorithms.track_with_expanded_transitions(video[0]) is not None, "transitions without handles")

# The edit decision list has the same cut, unique reels, and record times from 01:00:00:00.
text = open(f"{folder}/cut.edl").read()
events = [line.split() for line in text.splitlines() if line[:3].isdigit()]
reels = {line[1] for line in events if line[1] != "BL"}
check(len(reels) == len(truth) and all(len(r) <= 8 and r.isalnum() for r in reels), f"reels {reels}")
check(events[0][-2] in ("01:00:00:00", "01:00:00;00"), f"record time {events[0][-2]}")
edl = otio.adapters.read_from_file(f"{folder}/cut.edl", rate=rate)
listed = [c for c in clips_of(edl.video_tracks()[0]) if not isinstance(c.media_reference, otio.schema.GeneratorReference)]
check([c.metadata["cmx_3600"]["reel"] for c in listed] == [l[1] for l in events if l[1] != "BL" and l[-2] != l[-1]], "the reels of the events")
markers = [m for c in listed for m in c.markers]
# The adapter finds no markers in a drop-frame list: it does not accept a semicolon within a timecode.
check(len(markers) == text.count("* LOC:") or ";" in events[0][-2], f"{len(markers)} markers of {text.count('* LOC:')}")
for clip in listed:
    print("edl", clip.name, clip.metadata["cmx_3600"]["reel"], frames(clip.source_range.duration), len(clip.markers), "markers")

# Final Cut's XML has whole clip items in each track.
xml = otio.adapters.read_from_file(f"{folder}/cut.xml")
if not isinstance(xml, otio.schema.Timeline):
    xml = xml[0]
check(len(xml.video_tracks()) == 1 and len(xml.audio_tracks()) == 2, "tracks of the XML")
for track in xml.tracks:
    found = [(start_in_film(track, c), frames(c.source_range.duration)) for c in clips_of(track)]
    check(found == [t[:2] for t in truth], f"{track.kind}: {found} instead of {truth}")
    for clip in clips_of(track):
        check(clip.media_reference.target_url.endswith(".mov"), f"{clip.name} has no media in a track of {track.kind}")
    print("fcp7", track.kind, found)
seen = [m.metadata.get("fcp_xml", {}).get("comment", m.comment) for c in clips_of(xml.video_tracks()[0]) for m in c.markers]
check(len(seen) == sum(len(c.markers) for c in clips_of(video[0])), f"markers of the XML: {seen}")
print("fcp7 markers", seen)
