// Final Cut Pro 7's interchange format (xmeml 5): a video track and two of sound, whole clip items in each.
#include <string>

#include "tools/timeline/timeline.h"

namespace fabula::timeline {
namespace {

std::string escaped(const std::string& text) {
  std::string xml;
  for (const char c : text) {
    if (c == '&')
      xml += "&amp;";
    else if (c == '<')
      xml += "&lt;";
    else if (c == '>')
      xml += "&gt;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      xml += c;
    else
      xml += ' ';
  }
  return xml;
}

std::string url_of(const std::string& folder, const std::string& media) {
  static const char* const digits = "0123456789ABCDEF";
  std::string url = "file://localhost";
  for (const char c : folder + "/" + media) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("/-_.~").find(c) != std::string_view::npos;
    url += plain ? std::string(1, c) : std::string("%") + digits[byte >> 4U] + digits[byte & 15U];
  }
  return url;
}

std::string element(const std::string& name, const std::string& content) { return "<" + name + ">" + content + "</" + name + ">\n"; }
std::string element(const std::string& name, std::int64_t number) { return element(name, std::to_string(number)); }

class Writer {
 public:
  Writer(const Timeline& timeline, std::string folder)
      : timeline_(timeline),
        folder_(std::move(folder)),
        rate_(element("rate",
                      element("timebase", counted_frames(timeline.rate)) + element("ntsc", timeline.rate.den == 1 ? "FALSE" : "TRUE"))) {}

  [[nodiscard]] std::string text() {
    const std::string format = element("format", element("samplecharacteristics", size()));
    const std::string sound = element("format", element("samplecharacteristics", element("depth", 24) + element("samplerate", 48000)));
    std::string media = element("video", format + track(0));
    media += element("audio", element("numOutputChannels", 2) + sound + track(1) + track(2));
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE xmeml>\n<xmeml version=\"5\">\n<sequence id=\"film\">\n" +
           element("name", escaped(timeline_.title)) + element("duration", timeline_.frames()) + rate_ + timecode() +
           element("media", media) + "</sequence>\n</xmeml>\n";
  }

 private:
  [[nodiscard]] std::string size() const {
    return rate_ + element("width", timeline_.width) + element("height", timeline_.height) + element("anamorphic", "FALSE") +
           element("pixelaspectratio", "square") + element("fielddominance", "none");
  }

  [[nodiscard]] std::string timecode() const {
    const std::int64_t first = first_frame_number(timeline_.rate);
    return element("timecode", rate_ + element("string", text_of(timecode_of(first, timeline_.rate))) + element("frame", first) +
                                   element("displayformat", is_drop_frame(timeline_.rate) ? "DF" : "NDF"));
  }

  // Whole where it is first named, a reference afterwards.
  [[nodiscard]] std::string file(const Clip& clip, int kind) const {
    const std::string id = "file-" + clip.reel;
    if (kind != 0) return "<file id=\"" + id + "\"/>\n";
    const std::string video = element("video", element("duration", clip.media_frames()) + element("samplecharacteristics", size()));
    const std::string audio = element(
        "audio", element("samplecharacteristics", element("depth", 24) + element("samplerate", 48000)) + element("channelcount", 2));
    const std::string reel = element("reel", element("name", clip.reel));
    std::string code = timecode();
    code.insert(code.find("</timecode>"), reel);
    return "<file id=\"" + id + "\">\n" + element("name", escaped(clip.media.substr(clip.media.rfind('/') + 1))) +
           element("pathurl", url_of(folder_, clip.media)) + rate_ + element("duration", clip.media_frames()) + code +
           element("media", video + audio) + "</file>\n";
  }

  [[nodiscard]] static std::string markers(const Clip& clip) {
    std::string text;
    for (const Marker& marker : clip.markers) {
      const std::int64_t in = clip.head + marker.at;
      text += element("marker", element("comment", escaped(marker.comment)) + element("name", escaped(marker.name)) + element("in", in) +
                                    element("out", marker.frames > 1 ? in + marker.frames : -1));
    }
    return text;
  }

  static std::string item_id(const Clip& clip, int kind) { return "clip-" + clip.reel + (kind == 0 ? "-v" : kind == 1 ? "-a1" : "-a2"); }

  [[nodiscard]] std::string links(std::size_t index) const {
    std::string text;
    for (int kind = 0; kind < 3; ++kind)
      text += element("link", element("linkclipref", item_id(timeline_.clips[index], kind)) +
                                  element("mediatype", kind == 0 ? "video" : "audio") + element("trackindex", kind == 2 ? 2 : 1) +
                                  element("clipindex", static_cast<std::int64_t>(index + 1)));
    return text;
  }

  // An end under a transition is written as -1; the source then reaches as far as the transition does.
  [[nodiscard]] std::string item(std::size_t index, int kind) const {
    const Clip& clip = timeline_.clips[index];
    const Clip* next = index + 1 < timeline_.clips.size() ? &timeline_.clips[index + 1] : nullptr;
    const std::int64_t under_next = next != nullptr ? next->overlap : 0;
    const bool is_joined_before = clip.overlap > 0 || clip.fade_in > 0, is_joined_after = under_next > 0 || clip.fade_out > 0;
    std::string text = element("name", escaped(clip.name)) + element("enabled", "TRUE") + element("duration", clip.media_frames()) + rate_ +
                       element("start", is_joined_before ? -1 : clip.start) +
                       element("end", is_joined_after ? -1 : clip.start + clip.frames) + element("in", clip.head) +
                       element("out", clip.head + clip.frames + under_next) + file(clip, kind);
    if (kind != 0) text += element("sourcetrack", element("mediatype", "audio") + element("trackindex", kind));
    text += links(index) + (kind == 0 ? markers(clip) : "");
    return "<clipitem id=\"" + item_id(clip, kind) + "\">\n" + text + "</clipitem>\n";
  }

  [[nodiscard]] std::string transition(std::int64_t start, std::int64_t end, const char* alignment, const std::string& kind) const {
    const char* name = kind == "wipe" ? "Edge Wipe" : "Cross Dissolve";
    const std::string effect = element("effect", element("name", name) + element("effectid", name) +
                                                     element("effectcategory", kind == "wipe" ? "Wipe" : "Dissolve") +
                                                     element("effecttype", "transition") + element("mediatype", "video"));
    return element("transitionitem", rate_ + element("start", start) + element("end", end) + element("alignment", alignment) + effect);
  }

  [[nodiscard]] std::string track(int kind) const {
    std::string text;
    for (std::size_t i = 0; i < timeline_.clips.size(); ++i) {
      const Clip& clip = timeline_.clips[i];
      if (clip.overlap > 0) text += transition(clip.start, clip.start + clip.overlap, "start", clip.transition);
      if (clip.fade_in > 0) text += transition(clip.start, clip.start + clip.fade_in, "start-black", "dissolve");
      text += item(i, kind);
      const std::int64_t end = clip.start + clip.frames;
      if (clip.fade_out > 0) text += transition(end - clip.fade_out, end, "end-black", "dissolve");
    }
    if (kind == 0) return element("track", text + element("enabled", "TRUE") + element("locked", "FALSE"));
    return element("track", text + element("enabled", "TRUE") + element("locked", "FALSE") + element("outputchannelindex", kind));
  }

  const Timeline& timeline_;
  std::string folder_;
  std::string rate_;
};

}  // namespace

std::string to_fcp7(const Timeline& timeline, const std::string& folder) { return Writer(timeline, folder).text(); }

}  // namespace fabula::timeline
