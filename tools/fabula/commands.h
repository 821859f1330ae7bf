// The commands of `fabula`. Each function registers one, with its options and help; the command runs when the line has been parsed.
#pragma once

namespace CLI {
class App;
}

namespace fabula::cli {

void add_render_command(CLI::App&);
void add_assemble_command(CLI::App&);
void add_batch_command(CLI::App&);
void add_export_command(CLI::App&);
void add_submit_command(CLI::App&);
void add_serve_command(CLI::App&);
void add_store_command(CLI::App&);
void add_probe_command(CLI::App&);
void add_plan_command(CLI::App&);
void add_replan_command(CLI::App&);
void add_cast_command(CLI::App&);
void add_models_command(CLI::App&);
void add_world_command(CLI::App&);
void add_explain_command(CLI::App&);
void add_doctor_command(CLI::App&);
void add_bench_command(CLI::App&);
void add_completion_command(CLI::App&);
void add_version_command(CLI::App&);
void add_help_command(CLI::App&);

}  // namespace fabula::cli
