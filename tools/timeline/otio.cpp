// OpenTimelineIO's JSON (schema versions of its release 0.18).
#include <nlohmann/json.hpp>

#include "tools/timeline/timeline.h"

namespace fabula::timeline {
namespace {

using nlohmann::ordered_json;

double value_of(Rate rate) { return static_cast<double>(rate.num) / rate.den; }

ordered_json time(std::int64_t frames, Rate rate) {
  return {{"OTIO_SCHEMA", "RationalTime.1"}, {"rate", value_of(rate)}, {"value", static_cast<double>(frames)}};
}

ordered_json range(std::int64_t start, std::int64_t frames, Rate rate) {
  return {{"OTIO_SCHEMA", "TimeRange.1"}, {"duration", time(frames, rate)}, {"start_time", time(start, rate)}};
}

ordered_json marker_of(const Marker& marker, std::int64_t first, Rate rate) {
  const char* colour = marker.kind == "line" ? "GREEN" : marker.kind == "action" ? "BLUE" : "YELLOW";
  return {{"OTIO_SCHEMA", "Marker.2"},
          {"metadata", {{"fabula", {{"kind", marker.kind}}}}},
          {"name", marker.name},
          {"color", colour},
          {"marked_range", range(first + marker.at, marker.frames, rate)},
          {"comment", marker.comment}};
}

ordered_json clip_of(const Clip& clip, const Timeline& timeline, bool with_markers) {
  const Rate rate = timeline.rate;
  const std::int64_t media_start = timeline.is_of_film ? 0 : first_frame_number(rate), first = media_start + clip.head;
  const ordered_json media = {{"OTIO_SCHEMA", "ExternalReference.1"},
                              {"metadata", ordered_json::object()},
                              {"name", clip.reel},
                              {"available_range", range(media_start, clip.media_frames(), rate)},
                              {"available_image_bounds", nullptr},
                              {"target_url", clip.media}};
  ordered_json markers = ordered_json::array();
  for (const Marker& marker : clip.markers) {
    if (with_markers) markers.push_back(marker_of(marker, first, rate));
  }
  const ordered_json own = {{"shot", clip.id},
                            {"reel", clip.reel},
                            {"head_handle_held", timeline.is_of_film ? 0 : clip.head},
                            {"tail_handle", clip.tail},
                            {"tail_handle_held", clip.held_tail}};
  return {{"OTIO_SCHEMA", "Clip.2"},
          {"metadata", {{"fabula", own}}},
          {"name", clip.name},
          {"source_range", range(first, clip.frames, rate)},
          {"effects", ordered_json::array()},
          {"markers", markers},
          {"enabled", true},
          {"media_references", {{"DEFAULT_MEDIA", media}}},
          {"active_media_reference_key", "DEFAULT_MEDIA"}};
}

// A dissolve begins at the cut; a fade ends the clip before and begins this one.
ordered_json transition(const std::string& kind, std::int64_t before, std::int64_t after, Rate rate) {
  return {{"OTIO_SCHEMA", "Transition.1"},
          {"metadata", {{"fabula", {{"kind", kind}}}}},
          {"name", kind},
          {"in_offset", time(before, rate)},
          {"out_offset", time(after, rate)},
          {"transition_type", kind == "dissolve" ? "SMPTE_Dissolve" : "Custom_Transition"}};
}

ordered_json transition_into(const Clip& clip, std::int64_t fade_out_before, Rate rate) {
  return clip.overlap == 0 ? transition(clip.transition, fade_out_before, clip.fade_in, rate)
                           : transition(clip.transition, 0, clip.overlap, rate);
}

ordered_json track_of(const Timeline& timeline, const char* kind) {
  ordered_json children = ordered_json::array();
  std::int64_t fade_out_before = 0;
  for (const Clip& clip : timeline.clips) {
    if (!clip.transition.empty()) children.push_back(transition_into(clip, fade_out_before, timeline.rate));
    children.push_back(clip_of(clip, timeline, std::string_view(kind) == "Video"));
    fade_out_before = clip.fade_out;
  }
  if (fade_out_before > 0) children.push_back(transition("fade", fade_out_before, 0, timeline.rate));
  return {{"OTIO_SCHEMA", "Track.1"},
          {"metadata", ordered_json::object()},
          {"name", kind},
          {"source_range", nullptr},
          {"effects", ordered_json::array()},
          {"markers", ordered_json::array()},
          {"enabled", true},
          {"children", children},
          {"kind", kind}};
}

}  // namespace

std::string to_otio(const Timeline& timeline, const std::string& /*folder*/) {
  const ordered_json tracks = {{"OTIO_SCHEMA", "Stack.1"},
                               {"metadata", ordered_json::object()},
                               {"name", "tracks"},
                               {"source_range", nullptr},
                               {"effects", ordered_json::array()},
                               {"markers", ordered_json::array()},
                               {"enabled", true},
                               {"children", {track_of(timeline, "Video"), track_of(timeline, "Audio")}}};
  const ordered_json own = {
      {"generator", "Fabula"}, {"width", timeline.width}, {"height", timeline.height}, {"language", timeline.language}};
  return ordered_json{{"OTIO_SCHEMA", "Timeline.1"},
                      {"metadata", {{"fabula", own}}},
                      {"name", timeline.title},
                      {"global_start_time", time(first_frame_number(timeline.rate), timeline.rate)},
                      {"tracks", tracks}}
             .dump(2, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace fabula::timeline
