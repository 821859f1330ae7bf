// CMX 3600: events of picture and both channels of sound, with reels, wipes and dissolves that begin at the cut.
#include <cstdio>
#include <string>

#include "tools/timeline/timeline.h"

namespace fabula::timeline {
namespace {

// One line of text stays one line of the list.
std::string one_line(std::string text) {
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return text;
}

class List {
 public:
  explicit List(Rate rate) : rate_(rate), zero_(first_frame_number(rate)) {}

  // `frames` of a reel from its frame `from` on (counted from its first), at the film's frame `at`. kind: "C", "D" or "W001".
  void line(const std::string& reel, const char* kind, std::int64_t transition, std::int64_t from, std::int64_t at, std::int64_t frames) {
    char head[96];
    char length[16] = "   ";
    if (kind[0] != 'C') std::snprintf(length, sizeof length, "%03lld", static_cast<long long>(transition));
    std::snprintf(head, sizeof head, "%03d  %-8s AA/V  %-4s %s ", event_, reel.c_str(), kind, length);
    const std::int64_t source = reel == black ? 0 : zero_ + from;
    text_ +=
        std::string(head) + code(source) + " " + code(source + frames) + " " + code(zero_ + at) + " " + code(zero_ + at + frames) + "\n";
  }
  void next() { ++event_; }
  void comment(const std::string& text) { text_ += "* " + one_line(text) + "\n"; }
  void marker(std::int64_t at, const char* colour, const std::string& text) {
    text_ += "* LOC: " + code(zero_ + at) + " " + colour + " " + one_line(text) + "\n";
  }
  [[nodiscard]] const std::string& text() const { return text_; }

  static constexpr const char* black = "BL";

 private:
  [[nodiscard]] std::string code(std::int64_t frame) const { return text_of(timecode_of(frame, rate_)); }

  Rate rate_;
  std::int64_t zero_;
  int event_ = 1;
  std::string text_;
};

void put_markers(List& list, const Clip& clip) {
  for (const Marker& marker : clip.markers) {
    const char* colour = marker.kind == "line" ? "GREEN" : marker.kind == "action" ? "BLUE" : "YELLOW";
    list.marker(clip.start + marker.at, colour, marker.kind == "action" ? marker.comment : marker.name + ": " + marker.comment);
  }
}

// A transition is one event of two lines: nothing of where it comes from, then the clip.
void put_clip(List& list, const Clip& clip, const Clip* before) {
  const std::int64_t frames = clip.frames - clip.fade_out;
  if (clip.overlap > 0 && before != nullptr) {
    list.line(before->reel, "C", 0, before->head + before->frames, clip.start, 0);
    list.line(clip.reel, clip.transition == "wipe" ? "W001" : "D", clip.overlap, clip.head, clip.start, frames);
    list.comment("FROM CLIP NAME: " + before->name);
    list.comment("TO CLIP NAME: " + clip.name);
  } else if (clip.fade_in > 0) {
    list.line(List::black, "C", 0, 0, clip.start, 0);
    list.line(clip.reel, "D", clip.fade_in, clip.head, clip.start, frames);
    list.comment("TO CLIP NAME: " + clip.name);
  } else {
    list.line(clip.reel, "C", 0, clip.head, clip.start, frames);
    list.comment("FROM CLIP NAME: " + clip.name);
  }
  list.comment("SOURCE FILE: " + clip.media);
  put_markers(list, clip);
  list.next();
  if (clip.fade_out == 0) return;
  list.line(clip.reel, "C", 0, clip.head + frames, clip.start + frames, 0);
  list.line(List::black, "D", clip.fade_out, 0, clip.start + frames, clip.fade_out);
  list.comment("FROM CLIP NAME: " + clip.name);
  list.next();
}

}  // namespace

std::string to_edl(const Timeline& timeline, const std::string& /*folder*/) {
  List list(timeline.rate);
  const Clip* before = nullptr;
  for (const Clip& clip : timeline.clips) {
    put_clip(list, clip, before);
    before = &clip;
  }
  // Behind the events: OpenTimelineIO's reader refuses a comment that stands before the first one.
  char rate[64];
  std::snprintf(rate, sizeof rate, "FRAME RATE: %.6g", static_cast<double>(timeline.rate.num) / timeline.rate.den);
  list.comment(rate);
  return "TITLE: " + one_line(timeline.title).substr(0, 70) + "\nFCM: " + (is_drop_frame(timeline.rate) ? "DROP FRAME" : "NON-DROP FRAME") +
         "\n\n" + list.text();
}

}  // namespace fabula::timeline
