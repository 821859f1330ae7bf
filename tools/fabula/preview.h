// Pictures of the shots that are made so far: a contact sheet, and one for each.
#pragma once

#include <filesystem>
#include <vector>

#include "engine/clip_model.h"
#include "engine/plan.h"

namespace fabula::cli {

class Preview {
 public:
  /// `film`: the sheet is the file of this name with ".preview.jpg" behind it. `always`: it is written with every shot, else when somebody
  /// asks (SIGUSR1).
  Preview(const std::filesystem::path& film, bool always);

  /// A shot is made.
  void add(const Image& picture);
  /// To be called often: writes the sheet if it was asked for. A sheet that cannot be written is reported and stops nothing.
  void poll();

 private:
  void write();

  std::filesystem::path file_;
  bool always_, wanted_ = false;
  std::vector<Image> pictures_;
};

/// A small picture of each shot, as they are made: s010.jpg and so on.
class Posters {
 public:
  /// Makes the folder; empty: no posters. Throws Error(cannot_create). The film must outlive this.
  Posters(std::filesystem::path folder, const plan::Film&);

  /// The next shot is made. A picture that cannot be written is reported and stops nothing; an older one is replaced.
  void add(const Image& picture);

 private:
  std::filesystem::path folder_;
  const plan::Film& film_;
  std::size_t next_ = 0;
};

}  // namespace fabula::cli
