// The words of MiniMax-H3's prompts: texts of strangers made safe for them, and the plan's words as the guide has them.
// Facts about the format are of "base-en.txt" and "ref-en.txt", the guides of the skill h3-prompt-writing in MiniMax-AI/MiniMax-H3.
#pragma once

#include <string>
#include <string_view>

#include "engine/plan.h"

namespace fabula::h3 {

/// Any text as part of a description: one line without < > [ ] { } ( ) _ |, so that it can hold no tag, no shot, no speaker and no name of
/// a field, and without a full stop at its end. May become empty.
[[nodiscard]] std::string plain(std::string_view text);
/// Any text as what is said between <d> and </d>: one line, word for word except for < > [ ] { }. Never empty: a pause, "…", if nothing is
/// left.
[[nodiscard]] std::string spoken(std::string_view text);

/// "German" for "de-AT": the name that <d>[…] begins with. A tag that is not in the table stands for itself; what is no tag is
/// taken for English.
[[nodiscard]] std::string language_name(std::string_view tag);
/// "00:03.500"
[[nodiscard]] std::string timestamp(int ms);
/// "1.5 seconds"
[[nodiscard]] std::string seconds(int ms);

/// With a capital at its beginning and a full stop at its end, if it has none and does not end what is said. Empty stays empty.
[[nodiscard]] std::string sentence(std::string text);
/// "the lantern" for "a lantern"; a name stays a name.
[[nodiscard]] std::string definite(const std::string& text);
/// "x, y and z"
[[nodiscard]] std::string listed(const std::vector<std::string>& items);

/// "a wide shot from a low angle with a 35 mm lens"
[[nodiscard]] std::string framing(const plan::Camera&);
/// "The camera pushes in with small amplitude at slow speed toward the door"; `target`: what plan::Camera::target is called, or empty. The
/// guide's table of motion types, amplitudes and speeds; it leaves the medium ones out.
[[nodiscard]] std::string motion(const plan::Camera&, const std::string& target);
/// "the camera cuts to": how a shot that is not the first of its clip begins.
[[nodiscard]] std::string cut_words(const plan::Transition&);
/// "on the left" for "left"; other words stay themselves.
[[nodiscard]] std::string position_words(std::string_view position);
/// "at night"
[[nodiscard]] std::string time_words(std::string_view time_of_day);

}  // namespace fabula::h3
