// A contact sheet of the shots that are made so far.
#pragma once

#include <filesystem>
#include <vector>

#include "engine/clip_model.h"

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

}  // namespace fabula::cli
