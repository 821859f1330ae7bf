// Films from a published MiniMax-H3 folder: a prompt word for word as one clip, or a plan clip by clip.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/bundle.h"
#include "engine/clip_model.h"
#include "engine/planner.h"
#include "library/source.h"
#include "tools/fabula/render_options.h"

namespace fabula::cli {

/// Whether `model` is such a folder rather than a bundle of Fabula's own.
[[nodiscard]] bool is_published_folder(const std::string& model);

/// What render_film takes, conditioned; the encoders are released by then.
struct PublishedFilm {
  Bundle bundle;
  std::unique_ptr<ClipModel> model;
  PlannedFilm planned;
};
/// A prompt without --planner is filmed word for word, a plan or a screenplay is compiled to clips. What the clips leave out of a plan is
/// reported on standard error. Throws Error: usage for options that do not go together; as the parts' loading does.
[[nodiscard]] PublishedFilm plan_published(const Source&, const RenderOptions&);

/// What a published folder makes of a plan, as tasks of which each can be done alone: the id of a clip, or the range of ids of clips of
/// which each goes on from the one before it. Throws Error: usage for options that a plan leaves no room for; as the compiler does.
[[nodiscard]] std::vector<std::string> published_tasks(const plan::Film&, const RenderOptions&);

/// Whether the options can be for this model. Throws Error(usage) where they are for a published folder and it is none.
void require_published(const RenderOptions&);

/// What a folder is, what it lacks and what memory each phase needs, from its headers.
void describe_published(const std::string& folder, bool json);

}  // namespace fabula::cli
