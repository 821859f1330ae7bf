// The numbers of kernels/cudnn_api.h are those of NVIDIA's header. Compiled where that is installed.
#include <cudnn_graph.h>
#include <gtest/gtest.h>

#include <utility>

#include "kernels/cudnn_api.h"

namespace fabula::cuda::dnn {
namespace {

template <typename Ours>
using Pair = std::pair<Ours, int>;

template <typename Ours>
void expect_equal(std::initializer_list<Pair<Ours>> pairs) {
  for (const auto& [ours, theirs] : pairs) EXPECT_EQ(static_cast<int>(ours), theirs);
}

TEST(CudnnNumbers, OfDescriptorsAreThoseOfNvidiasHeader) {
  expect_equal<Kind>({{Kind::engine_config, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR},
                      {Kind::heuristics, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR},
                      {Kind::plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR},
                      {Kind::graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR},
                      {Kind::variant_pack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR},
                      {Kind::tensor, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
                      {Kind::attention, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR}});
}

TEST(CudnnNumbers, OfTypesAreThoseOfNvidiasHeader) {
  expect_equal<Type>({{Type::handle, CUDNN_TYPE_HANDLE},
                      {Type::data_type, CUDNN_TYPE_DATA_TYPE},
                      {Type::boolean, CUDNN_TYPE_BOOLEAN},
                      {Type::int64, CUDNN_TYPE_INT64},
                      {Type::pointer, CUDNN_TYPE_VOID_PTR},
                      {Type::heuristic_mode, CUDNN_TYPE_HEUR_MODE},
                      {Type::descriptor, CUDNN_TYPE_BACKEND_DESCRIPTOR}});
  EXPECT_EQ(static_cast<int>(DataType::f32), CUDNN_DATA_FLOAT);
  EXPECT_EQ(static_cast<int>(DataType::bf16), CUDNN_DATA_BFLOAT16);
  EXPECT_EQ(static_cast<int>(HeuristicMode::a), CUDNN_HEUR_MODE_A);
  EXPECT_EQ(static_cast<int>(Status::success), CUDNN_STATUS_SUCCESS);
}

TEST(CudnnNumbers, OfAttributesAreThoseOfNvidiasHeader) {
  expect_equal<Attribute>(
      {{Attribute::heuristics_mode, CUDNN_ATTR_ENGINEHEUR_MODE},
       {Attribute::heuristics_graph, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH},
       {Attribute::heuristics_results, CUDNN_ATTR_ENGINEHEUR_RESULTS},
       {Attribute::plan_handle, 400},  // CUDNN_ATTR_EXECUTION_PLAN_HANDLE, whose name is deprecated and whose value is required
       {Attribute::plan_engine_config, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG},
       {Attribute::plan_workspace_size, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE},
       {Attribute::graph_handle, 800},  // CUDNN_ATTR_OPERATIONGRAPH_HANDLE, likewise
       {Attribute::graph_operations, CUDNN_ATTR_OPERATIONGRAPH_OPS},
       {Attribute::tensor_alignment, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT},
       {Attribute::tensor_data_type, CUDNN_ATTR_TENSOR_DATA_TYPE},
       {Attribute::tensor_dimensions, CUDNN_ATTR_TENSOR_DIMENSIONS},
       {Attribute::tensor_strides, CUDNN_ATTR_TENSOR_STRIDES},
       {Attribute::tensor_id, CUDNN_ATTR_TENSOR_UNIQUE_ID},
       {Attribute::tensor_by_value, CUDNN_ATTR_TENSOR_IS_BY_VALUE},
       {Attribute::pack_ids, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS},
       {Attribute::pack_pointers, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS},
       {Attribute::pack_workspace, CUDNN_ATTR_VARIANT_PACK_WORKSPACE},
       {Attribute::attention_q, CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC},
       {Attribute::attention_k, CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC},
       {Attribute::attention_v, CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC},
       {Attribute::attention_out, CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC},
       {Attribute::attention_scale, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC}});
}

}  // namespace
}  // namespace fabula::cuda::dnn
