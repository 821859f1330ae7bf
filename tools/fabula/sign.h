// Hands finished films to a program that signs them.
#pragma once

#include <filesystem>
#include <string>

namespace fabula::cli {

/// To be called before any work. Throws Error(unavailable) if there is no such program.
void require_signer(const std::string& signer);

/// Has `signer`, a program that takes c2patool's arguments, sign the film in place, with a C2PA manifest that says what made it (`version`:
/// of Fabula). Keys are the signer's affair: c2patool reads C2PA_PRIVATE_KEY and C2PA_SIGN_CERT, and without them uses a test certificate,
/// which is reported on standard error. Throws Error(unavailable) if the program cannot be run or fails.
void sign_film(const std::string& signer, const std::filesystem::path& film, const std::string& version);

}  // namespace fabula::cli
