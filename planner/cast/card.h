// Character Card V3 (github.com/kwaroran/character-card-spec-v3) in its three containers: JSON, PNG (tEXt chunks "ccv3" and "chara"), CHARX
// (a zip of card.json and its assets). Cards of version 2 are read too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "planner/cast/character.h"

namespace fabula::cast {

constexpr std::size_t largest_card = 256U << 20U;     ///< bytes of a file; RisuAI's cards carry hundreds of pictures
constexpr std::size_t largest_card_json = 4U << 20U;  ///< bytes of the card in it
constexpr int deepest_card_json = 64;                 ///< levels of lists and objects

struct Card {
  Character character;  ///< no reference media: a card has no paths of this machine
  Origin origin;
};

/// Reads any of the three containers, recognised by their first bytes. Uses the card's name and description; id, look, wardrobe, voice and
/// further fields come from data.extensions.fabula. Everything else is kept in `origin`. Throws Error(bad_data).
[[nodiscard]] Card read_card(std::string_view bytes);

/// The original card updated with the character's present values, or a new card if there was none. `modified_s`: time of the export in
/// seconds since 1970.
[[nodiscard]] std::string write_card_json(const Character&, const Origin&, std::int64_t modified_s);
/// `picture`: the PNG that will carry the card. Throws Error(bad_data) if it is not a PNG.
[[nodiscard]] std::string write_card_png(const Character&, const Origin&, std::int64_t modified_s, std::string_view picture);
/// Includes the assets that came with the card.
[[nodiscard]] std::string write_charx(const Character&, const Origin&, std::int64_t modified_s);

/// A version 2 card, for programs that read no other; its creator notes say so.
[[nodiscard]] std::string write_card_v2_json(const Character&, const Origin&, std::int64_t modified_s);
/// The character described by a card.json. Throws Error(bad_data).
[[nodiscard]] Character read_card_json(std::string_view json);

}  // namespace fabula::cast
