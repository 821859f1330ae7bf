// The vocabulary of MiniMax-H3's prompts: makes strangers' texts safe, and translates the plan's words into the guide's. Facts about the
// format come from "base-en.txt" and "ref-en.txt", the guides of the skill h3-prompt-writing in MiniMax-AI/MiniMax-H3.
#pragma once

#include <string>
#include <string_view>

#include "engine/plan.h"

namespace fabula::h3 {

/// Makes any text part of a description: one line without < > [ ] { } ( ) _ |, so that it holds no tag, shot, speaker or field name, and
/// without a final full stop. May become empty.
[[nodiscard]] std::string plain(std::string_view text);
/// Makes any text fit between <d> and </d>: one line, verbatim except for < > [ ] { }. Never empty: "…", a pause, if nothing is left.
[[nodiscard]] std::string spoken(std::string_view text);

/// "German" for "de-AT": the name after <d>. A tag missing from the table names itself; anything that is not a tag counts as English.
[[nodiscard]] std::string language_name(std::string_view tag);
/// "00:03.500"
[[nodiscard]] std::string timestamp(int ms);
/// "1.5 seconds"
[[nodiscard]] std::string seconds(int ms);

/// Capitalises the first letter and adds a full stop, unless the text ends with a sign or with </d>. Empty stays empty.
[[nodiscard]] std::string sentence(std::string text);
/// "the lantern" for "a lantern"; names stay unchanged.
[[nodiscard]] std::string definite(const std::string& text);
/// "x, y and z"
[[nodiscard]] std::string listed(const std::vector<std::string>& items);

/// "a wide shot from a low angle with a 35 mm lens"
[[nodiscard]] std::string framing(const plan::Camera&);
/// "The camera pushes in with small amplitude at slow speed toward the door". `target`: the words for plan::Camera::target, or empty.
/// Follows the guide's table of motion types, amplitudes and speeds, which omits the medium ones.
[[nodiscard]] std::string motion(const plan::Camera&, const std::string& target);
/// "the camera cuts to": the beginning of any shot but the first of a clip.
[[nodiscard]] std::string cut_words(const plan::Transition&);
/// "on the left" for "left"; other words stay unchanged.
[[nodiscard]] std::string position_words(std::string_view position);
/// "at night"
[[nodiscard]] std::string time_words(std::string_view time_of_day);

}  // namespace fabula::h3
