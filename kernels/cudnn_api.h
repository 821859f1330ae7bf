// The part of cuDNN's backend interface that attention needs, so that a build needs no header of cuDNN's, which CUDA's compiler comes
// without. The numbers are those of cuDNN 9 (cudnn_graph.h of 9.13.1 and later): cudnn_numbers_test.cpp compares them with
// NVIDIA's header where one is installed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fabula::cuda::dnn {

using Handle = struct HandleOf*;  ///< cudnnHandle_t
using Descriptor = void*;         ///< cudnnBackendDescriptor_t

enum class Status : int { success = 0, bad_parameter = 2000, not_supported = 3000 };  ///< cudnnStatus_t
enum class DataType : int { f32 = 0, bf16 = 9 };                                      ///< cudnnDataType_t
enum class HeuristicMode : int { a = 3 };                                             ///< cudnnBackendHeurMode_t

/// cudnnBackendDescriptorType_t
enum class Kind : int {
  engine_config = 3,
  heuristics = 4,
  plan = 5,
  graph = 15,
  variant_pack = 16,
  tensor = 17,
  attention = 41,  // SDPA_FWD, since 9.13.1
};

/// cudnnBackendAttributeType_t
enum class Type : int { handle = 0, data_type = 1, boolean = 2, int64 = 3, pointer = 6, heuristic_mode = 8, descriptor = 15 };

/// cudnnBackendAttributeName_t
enum class Attribute : int {
  heuristics_mode = 200,
  heuristics_graph = 201,
  heuristics_results = 202,
  plan_handle = 400,
  plan_engine_config = 401,
  plan_workspace_size = 402,
  graph_handle = 800,
  graph_operations = 801,
  tensor_alignment = 900,
  tensor_data_type = 901,
  tensor_dimensions = 902,
  tensor_strides = 903,
  tensor_id = 906,
  tensor_by_value = 908,
  pack_ids = 1000,
  pack_pointers = 1001,
  pack_workspace = 1003,
  attention_q = 2800,
  attention_k = 2801,
  attention_v = 2802,
  attention_out = 2803,
  attention_scale = 2805,
};

// The functions, by their names in the library.
using GetVersion = std::size_t();                                                                         // cudnnGetVersion
using GetErrorString = const char*(Status);                                                               // cudnnGetErrorString
using GetLastErrorString = void(char* message, std::size_t room);                                         // cudnnGetLastErrorString
using Create = Status(Handle*);                                                                           // cudnnCreate
using SetStream = Status(Handle, void* stream);                                                           // cudnnSetStream
using CreateDescriptor = Status(Kind, Descriptor*);                                                       // cudnnBackendCreateDescriptor
using DestroyDescriptor = Status(Descriptor);                                                             // cudnnBackendDestroyDescriptor
using SetAttribute = Status(Descriptor, Attribute, Type, std::int64_t count, const void*);                // cudnnBackendSetAttribute
using GetAttribute = Status(Descriptor, Attribute, Type, std::int64_t room, std::int64_t* count, void*);  // cudnnBackendGetAttribute
using Finalize = Status(Descriptor);                                                                      // cudnnBackendFinalize
using Execute = Status(Handle, Descriptor plan, Descriptor variant_pack);                                 // cudnnBackendExecute

}  // namespace fabula::cuda::dnn
