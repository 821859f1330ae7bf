// Character Card V3 (github.com/kwaroran/character-card-spec-v3) in its three containers: JSON, PNG (tEXt chunks "ccv3" and "chara"), CHARX
// (a zip of card.json and its assets). Cards of version 2 are read too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "planner/cast/character.h"

namespace fabula::cast {

constexpr std::size_t largest_card = 32U << 20U;      ///< bytes of a file
constexpr std::size_t largest_card_json = 4U << 20U;  ///< bytes of the card in it
constexpr int deepest_card_json = 64;                 ///< nested lists and objects

struct Card {
  Character character;  ///< no reference media: a card has no paths of this machine
  Origin origin;
};

/// Reads any of the three, told apart by their first bytes. Of the card's own fields name and description are used; id, look, wardrobe,
/// voice and further fields stand in data.extensions.fabula. All else is kept in `origin`. Throws Error(bad_data).
[[nodiscard]] Card read_card(std::string_view bytes);

/// The card as it came, with what the character says now in its place; a new one where there was none. `modified_s`: seconds since 1970, of
/// the export.
[[nodiscard]] std::string write_card_json(const Character&, const Origin&, std::int64_t modified_s);
/// `picture`: a PNG that carries the card. Throws Error(bad_data) when it is none.
[[nodiscard]] std::string write_card_png(const Character&, const Origin&, std::int64_t modified_s, std::string_view picture);
/// With the assets that came with the card.
[[nodiscard]] std::string write_charx(const Character&, const Origin&, std::int64_t modified_s);

/// The card as one of version 2, for programs that know no other; its creator notes say so.
[[nodiscard]] std::string write_card_v2_json(const Character&, const Origin&, std::int64_t modified_s);
/// What card.json means. Throws Error(bad_data).
[[nodiscard]] Character read_card_json(std::string_view json);

}  // namespace fabula::cast
