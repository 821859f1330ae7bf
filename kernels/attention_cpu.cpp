// Attention in blocks of queries and keys with a running softmax (Milakov and Gimelshein 2018; Dao et al. 2022): the matrix of weights
// is never larger than one block, whatever the length of the sequence.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention_tiles.h"
#include "kernels/families.h"
#include "kernels/instruction_set.h"
#include "kernels/multiply.h"
#include "kernels/pieces.h"
#include "kernels/simd-inl.h"

#ifndef FABULA_SOFTMAX
#define FABULA_SOFTMAX
namespace fabula {
/// Products (keys, queries) of some keys with some queries, rows `stride` apart; of each query its largest product and its weights' total
/// so far, and by how much what was summed with those weights is to be multiplied. Once for all instruction sets.
struct Softmax {
  float* products;
  std::int64_t stride, keys, queries;
  std::int64_t visible, step;  ///< the first query sees so many of the keys, below 1: none; each further one `step` more
  float scale;
  bool rounded;  ///< weights are kept as bf16 values; their total is that of the weights before
  float *largest, *total, *factors;
};
}  // namespace fabula
#endif

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

/// Turns a row of products of query and key into weights, exp(scale · (product − the largest so far)). Updates the largest and the weights'
/// total. Returns by how much what was summed before must be multiplied.
float soften(float* row, std::int64_t count, float scale, float& largest, float& total) {
  const float lowest = -std::numeric_limits<float>::infinity();
  Vec peak = all(largest);
  for (std::int64_t i = 0; i < count; i += lanes()) {
    const Vec products = load(row + i, count - i);
    peak = hn::Max(peak, count - i >= lanes()
                             ? products
                             : hn::IfThenElse(hn::FirstN(Floats(), static_cast<std::size_t>(count - i)), products, all(lowest)));
  }
  const float now = hn::GetLane(hn::MaxOfLanes(Floats(), peak));
  Vec sum = all(0.0F);
  for (std::int64_t i = 0; i < count; i += lanes()) {
    const Vec weights = exp(hn::Mul(hn::Sub(load(row + i, count - i), all(now)), all(scale)));
    store(weights, row + i, count - i);
    sum = hn::Add(sum, keep_first(weights, count - i));
  }
  const float factor = largest == lowest ? 0.0F : std::exp(scale * (largest - now));
  largest = now;
  total = total * factor + sum_of(sum);
  return factor;
}

void scale_row(float* row, std::int64_t count, float factor) {
  map(row, count, row, [&](Vec v) { return hn::Mul(v, all(factor)); });
}

// A query's weights of a block of keys are added up as eight sums, of every eighth key, and these as SumOfLanes adds a vector of eight:
// soften()'s order.
constexpr std::int64_t partial_sums = 8;

/// use(key, key % partial_sums) for all keys.
template <typename Use>
HWY_INLINE void each_key(std::int64_t keys, const Use& use) {
  std::int64_t key = 0;
  for (; key + partial_sums <= keys; key += partial_sums) {
    use(key, 0), use(key + 1, 1), use(key + 2, 2), use(key + 3, 3), use(key + 4, 4), use(key + 5, 5), use(key + 6, 6), use(key + 7, 7);
  }
  for (int part = 0; key < keys; ++key, ++part) use(key, part);
}

/// soften() for a vector of queries from `query` on. is_masked: some of them do not see all keys.
template <bool is_masked, bool is_rounded>
void soften_vector(const Softmax& s, std::int64_t query) {
  const hn::RebindToSigned<Floats> integers;
  const auto all_integers = [&](std::int64_t value) ALWAYS_INLINE { return hn::Set(integers, static_cast<std::int32_t>(value)); };
  const std::int64_t left = s.queries - query;
  const auto seen = hn::Add(all_integers(s.visible + s.step * query), hn::Mul(hn::Iota(integers, 0), all_integers(s.step)));
  const auto sees = [&](std::int64_t key) ALWAYS_INLINE { return hn::RebindMask(Floats(), hn::Lt(all_integers(key), seen)); };
  const Vec before = load(s.largest + query, left);
  Vec peaks[2] = {before, before};
  each_key(s.keys, [&](std::int64_t key, int part) ALWAYS_INLINE {
    Vec product = load(s.products + key * s.stride + query, left);
    if constexpr (is_masked) product = hn::IfThenElse(sees(key), product, before);
    peaks[part % 2] = hn::Max(peaks[part % 2], product);
  });
  const Vec now = hn::Max(peaks[0], peaks[1]);
  Vec sums[partial_sums];
  for (Vec& sum : sums) sum = all(0.0F);
  each_key(s.keys, [&](std::int64_t key, int part) ALWAYS_INLINE {
    float* at = s.products + key * s.stride + query;
    Vec weight = exp(hn::Mul(hn::Sub(load(at, left), now), all(s.scale)));
    if constexpr (is_masked) weight = hn::IfThenElseZero(sees(key), weight);
    store(is_rounded ? number_to_bf16(weight) : weight, at, left);
    sums[part] = hn::Add(sums[part], weight);
  });
  for (std::int64_t width = partial_sums / 2; width > 0; width /= 2) {
    for (std::int64_t i = 0; i < width; ++i) sums[i] = hn::Add(sums[i], sums[i + width]);
  }
  HWY_ALIGN float peak[hn::MaxLanes(Floats())], sum[hn::MaxLanes(Floats())];
  hn::Store(now, Floats(), peak);
  hn::Store(sums[0], Floats(), sum);
  for (std::int64_t i = 0; i < std::min(left, lanes()); ++i) {
    const std::int64_t q = query + i;
    s.factors[q] = s.largest[q] == peak[i] ? 1.0F : std::exp(s.scale * (s.largest[q] - peak[i]));
    s.largest[q] = peak[i];
    s.total[q] = s.total[q] * s.factors[q] + sum[i];
  }
}

/// Turns products into weights, exp(scale · (product − the largest so far)), zero for a key that is not seen.
void soften_columns(const Softmax& s) {
  for (std::int64_t query = 0; query < s.queries; query += lanes()) {
    const bool is_masked = s.visible + s.step * query < s.keys;
    const auto soften = s.rounded ? (is_masked ? soften_vector<true, true> : soften_vector<false, true>)
                                  : (is_masked ? soften_vector<true, false> : soften_vector<false, false>);
    soften(s, query);
  }
}

/// Columns of sums (rows, columns) times each column's factor.
void scale_columns(Matrix<float> sums, std::int64_t rows, std::int64_t columns, const float* factors) {
  for (std::int64_t row = 0; row < rows; ++row) {
    float* at = sums.data + row * sums.stride;
    map(at, factors, columns, at, [](Vec sum, Vec factor) { return hn::Mul(sum, factor); });
  }
}

/// One sequence's keys (dim, slots) and values (slots, dim) of one head: each page `stride` floats long.
struct Pages {
  const float *keys, *values;
  const std::int32_t* table;
  std::int64_t stride, slots, dim;
};

/// products[h][i] = query of head h · key of token first + i, i below `count`; first is a page's first token. query (heads, dim).
template <int heads>
void score_keys(const float* query, const Pages& p, std::int64_t first, std::int64_t count, float* products, std::int64_t stride) {
  for (std::int64_t done = 0; done < count; done += p.slots) {
    const float* page = p.keys + p.table[(first + done) / p.slots] * p.stride;
    for (std::int64_t slot = 0; slot < std::min(p.slots, count - done); slot += lanes()) {
      const std::int64_t left = p.slots - slot;
      Vec even[heads], odd[heads];
      for (int h = 0; h < heads; ++h) even[h] = odd[h] = all(0.0F);
      std::int64_t i = 0;
      for (; i + 2 <= p.dim; i += 2) {
        const Vec k0 = load(page + i * p.slots + slot, left), k1 = load(page + (i + 1) * p.slots + slot, left);
        for (int h = 0; h < heads; ++h) {
          even[h] = hn::MulAdd(all(query[h * p.dim + i]), k0, even[h]);
          odd[h] = hn::MulAdd(all(query[h * p.dim + i + 1]), k1, odd[h]);
        }
      }
      for (int h = 0; h < heads; ++h) {
        if (i < p.dim) even[h] = hn::MulAdd(all(query[h * p.dim + i]), load(page + i * p.slots + slot, left), even[h]);
        store(hn::Add(even[h], odd[h]), products + h * stride + done + slot, left);
      }
    }
  }
}

/// out (heads, dim) += Σ weights[h][i] · value of token first + i, from the first token to the last.
template <int heads>
void sum_values(const float* weights, std::int64_t weight_stride, const Pages& p, std::int64_t first, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < p.dim; i += 2 * lanes()) {
    const std::int64_t left = p.dim - i;
    const bool both = left > lanes();
    Vec low[heads], high[heads];
    for (int h = 0; h < heads; ++h) {
      low[h] = load(out + h * p.dim + i, left);
      high[h] = both ? load(out + h * p.dim + i + lanes(), left - lanes()) : all(0.0F);
    }
    for (std::int64_t done = 0; done < count; done += p.slots) {
      const float* value = p.values + p.table[(first + done) / p.slots] * p.stride + i;
      for (std::int64_t token = done; token < std::min(done + p.slots, count); ++token, value += p.dim) {
        const Vec v0 = load(value, left), v1 = both ? load(value + lanes(), left - lanes()) : all(0.0F);
        for (int h = 0; h < heads; ++h) {
          const Vec weight = all(weights[h * weight_stride + token]);
          low[h] = hn::MulAdd(weight, v0, low[h]);
          high[h] = hn::MulAdd(weight, v1, high[h]);
        }
      }
    }
    for (int h = 0; h < heads; ++h) {
      store(low[h], out + h * p.dim + i, left);
      if (both) store(high[h], out + h * p.dim + i + lanes(), left - lanes());
    }
  }
}

/// Queries of one row which share keys and values, (heads, dim), over the first `seen` tokens. The order of every sum depends on `seen`
/// alone.
template <int heads>
void attend_pages(const float* query, const Pages& p, std::int64_t seen, float* out) {
  constexpr std::int64_t tokens_per_block = 512;  // whose weights are on the stack together
  float weights[heads * tokens_per_block];
  float largest[heads], total[heads] = {};
  std::fill_n(largest, heads, -std::numeric_limits<float>::infinity());
  std::fill_n(out, heads * p.dim, 0.0F);
  const std::int64_t together = tokens_per_block / p.slots * p.slots;  // whole pages
  const float scale = 1.0F / std::sqrt(static_cast<float>(p.dim));
  for (std::int64_t first = 0; first < seen; first += together) {
    const std::int64_t count = std::min(together, seen - first);
    score_keys<heads>(query, p, first, count, weights, tokens_per_block);
    for (int h = 0; h < heads; ++h) {
      const float factor = soften(weights + h * tokens_per_block, count, scale, largest[h], total[h]);
      if (first > 0 && factor != 1.0F) scale_row(out + h * p.dim, p.dim, factor);
    }
    sum_values<heads>(weights, tokens_per_block, p, first, count, out);
  }
  for (int h = 0; h < heads; ++h) scale_row(out + h * p.dim, p.dim, 1.0F / total[h]);
}

void attend_group(const float* query, std::int64_t heads, const float* keys, const float* values, const std::int32_t* table,
                  std::int64_t stride, std::int64_t slots, std::int64_t dim, std::int64_t seen, float* out) {
  const Pages p{keys, values, table, stride, slots, dim};
  for (; heads >= 4; heads -= 4, query += 4 * p.dim, out += 4 * p.dim) attend_pages<4>(query, p, seen, out);
  switch (heads) {
    case 3:
      return attend_pages<3>(query, p, seen, out);
    case 2:
      return attend_pages<2>(query, p, seen, out);
    case 1:
      return attend_pages<1>(query, p, seen, out);
    default:
      return;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(soften_columns);
HWY_EXPORT(scale_row);
HWY_EXPORT(scale_columns);
HWY_EXPORT(attend_group);

constexpr std::int64_t query_block = 192, key_block = 256;
// Rows of a block's products do not fall on the same few sets of the first-level cache: an odd number of its lines.
constexpr std::int64_t products_stride = query_block + 16;

constexpr std::int64_t most_rounded_dim = 128;  // of a head whose products are bf16: copies of it lie on the stack

/// Asks for rows of a head, which lie far apart, before they are needed: a processor does not foresee such a stride.
void prefetch(const float* rows, std::int64_t count, std::int64_t stride, std::int64_t dim) {
  constexpr std::int64_t floats_per_line = 16;
  for (std::int64_t row = 0; row < count; ++row) {
    for (std::int64_t i = 0; i < dim; i += floats_per_line) __builtin_prefetch(rows + row * stride + i, 0, 2);
  }
}

/// One head's queries, at most query_block rows `q_stride` floats apart, which is the distance of out's rows, too; keys and values are
/// `kv_stride` apart.
struct HeadBlock {
  const float* q;
  std::int64_t q_stride, rows;
  const float *k, *v;
  std::int64_t kv_stride, keys, dim;
  float* out;
  TileProduct* product = nullptr;  ///< of TiledProducts
};

/// Products of a block of keys with the queries, and the sums of their values: of f32 operands where they lie.
class Float32Products {
 public:
  static constexpr bool rounded = false;
  explicit Float32Products(const HeadBlock& block) : b_(block) {}

  /// products (count, rows) of keys [key, key + count).
  void score(std::int64_t key, std::int64_t count, float* products) {
    prefetch_values(key, count);
    multiply({b_.k + key * b_.kv_stride, b_.kv_stride}, {b_.q, b_.q_stride, true}, {products, products_stride}, count, b_.rows, b_.dim,
             false);
  }

  /// The sums so far times each query's factor, and the values of the keys by their weights (count, rows).
  void sum(std::int64_t key, std::int64_t count, const float* weights, const float* factors) {
    rescale(key, factors);
    prefetch_keys(key + count);
    multiply({weights, products_stride, true}, {b_.v + key * b_.kv_stride, b_.kv_stride}, {b_.out, b_.q_stride}, b_.rows, b_.dim, count,
             key > 0);
  }

  /// The sums by each query's total.
  void finish(const float* total) {
    for (std::int64_t row = 0; row < b_.rows; ++row) HWY_DYNAMIC_DISPATCH(scale_row)(b_.out + row * b_.q_stride, b_.dim, 1.0F / total[row]);
  }

 protected:
  void prefetch_values(std::int64_t key, std::int64_t count) { prefetch(b_.v + key * b_.kv_stride, count, b_.kv_stride, b_.dim); }
  void prefetch_keys(std::int64_t key) { prefetch(b_.k + key * b_.kv_stride, std::min(key_block, b_.keys - key), b_.kv_stride, b_.dim); }
  void rescale(std::int64_t key, const float* factors) {
    for (std::int64_t row = 0; key > 0 && row < b_.rows; ++row) {
      if (factors[row] != 1.0F) HWY_DYNAMIC_DISPATCH(scale_row)(b_.out + row * b_.q_stride, b_.dim, factors[row]);
    }
  }

  HeadBlock b_;
};

/// The same of operands rounded to bf16, which are copied for it.
class RoundedProducts : public Float32Products {
 public:
  static constexpr bool rounded = true;
  explicit RoundedProducts(const HeadBlock& block) : Float32Products(block) {
    float query[most_rounded_dim];
    for (std::int64_t row = 0; row < b_.rows; ++row) {
      round_to_bf16({b_.q + row * b_.q_stride, 0}, 1, b_.dim, {query, 0});
      for (std::int64_t i = 0; i < b_.dim; ++i) queries_[i * products_stride + row] = query[i];
    }
  }

  void score(std::int64_t key, std::int64_t count, float* products) {
    round(b_.k, key, count);
    prefetch_values(key, count);
    multiply_rounded({rows_, stride}, {queries_, products_stride}, {products, products_stride}, count, b_.rows, b_.dim, false);
  }

  void sum(std::int64_t key, std::int64_t count, const float* weights, const float* factors) {
    rescale(key, factors);
    round(b_.v, key, count);
    prefetch_keys(key + count);
    multiply_rounded({weights, products_stride, true}, {rows_, stride}, {b_.out, b_.q_stride}, b_.rows, b_.dim, count, key > 0);
  }

 private:
  static constexpr std::int64_t stride = most_rounded_dim + 16;  // an odd number of lines, as products_stride

  void round(const float* rows, std::int64_t key, std::int64_t count) {
    round_to_bf16({rows + key * b_.kv_stride, b_.kv_stride}, count, b_.dim, {rows_, stride});
  }

  alignas(64) float queries_[most_rounded_dim * products_stride], rows_[key_block * stride];  // queries turned once for all keys
};

/// The bytes of RoundedProducts by AMX's tiles. Sums have the queries as columns, so that weights become tiles without being turned.
class TiledProducts {
 public:
  static constexpr bool rounded = false;  // packing rounds the weights
  explicit TiledProducts(const HeadBlock& block) : b_(block) {
    pack_rows({b_.q, b_.q_stride}, b_.rows, b_.dim, queries_);
    turn_tiles(queries_, words_in_tiles(b_.rows, b_.dim));
  }

  void score(std::int64_t key, std::int64_t count, float* products) {
    pack_rows({b_.k + key * b_.kv_stride, b_.kv_stride}, count, b_.dim, rows_);
    b_.product(rows_, queries_, {products, products_stride}, count, b_.rows, b_.dim, false);
  }

  void sum(std::int64_t key, std::int64_t count, const float* weights, const float* factors) {
    if (key > 0) HWY_DYNAMIC_DISPATCH(scale_columns)({sums_, products_stride}, b_.dim, b_.rows, factors);
    pack_columns(Matrix<const float>{b_.v + key * b_.kv_stride, b_.kv_stride}, b_.dim, count, rows_);
    turn_tiles(rows_, words_in_tiles(b_.dim, count));
    pack_columns(Matrix<const float>{weights, products_stride}, b_.rows, count, weights_);
    b_.product(rows_, weights_, {sums_, products_stride}, b_.dim, b_.rows, count, key > 0);
  }

  void finish(const float* total) {
    for (std::int64_t row = 0; row < b_.rows; ++row) {
      const float share = 1.0F / total[row];
      for (std::int64_t i = 0; i < b_.dim; ++i) b_.out[row * b_.q_stride + i] = sums_[i * products_stride + row] * share;
    }
  }

 private:
  HeadBlock b_;
  alignas(64) std::uint32_t queries_[words_in_tiles(query_block, most_rounded_dim)], rows_[words_in_tiles(key_block, most_rounded_dim)],
      weights_[words_in_tiles(query_block, key_block)];
  alignas(64) float sums_[most_rounded_dim * products_stride];
};

/// The first query sees `seen` keys, each further one `step` more (0 or 1). Queries are the columns of the products, so that a vector holds
/// some of them and the softmax needs no sums across it, and so that it is the few queries which are turned, not all keys.
template <typename Products>
void attend(const HeadBlock& block, std::int64_t seen, std::int64_t step) {
  alignas(64) float weights[key_block * products_stride];
  float largest[query_block], total[query_block] = {}, factors[query_block];
  std::fill_n(largest, block.rows, -std::numeric_limits<float>::infinity());
  const float scale = 1.0F / std::sqrt(static_cast<float>(block.dim));
  Products products(block);
  for (std::int64_t key = 0; key < block.keys; key += key_block) {
    const std::int64_t count = std::min(key_block, block.keys - key);
    products.score(key, count, weights);
    HWY_DYNAMIC_DISPATCH(soften_columns)
    ({weights, products_stride, count, block.rows, seen - key, step, scale, Products::rounded, largest, total, factors});
    products.sum(key, count, weights, factors);
  }
  products.finish(total);
}

template <typename Products>
void attend_heads(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor out, TileProduct* product = nullptr) {
  const std::int64_t q_rows = q.shape[0], heads = q.shape[1], dim = q.shape[2];
  const std::int64_t k_rows = k.shape[0], kv_heads = k.shape[1];
  const std::int64_t blocks = (q_rows + query_block - 1) / query_block;
  in_pieces(exec, heads * blocks, 1, [&](std::int64_t piece, std::int64_t) {
    const std::int64_t head = piece / blocks, begin = piece % blocks * query_block;
    const std::int64_t first = (begin * heads + head) * dim, kv_first = head / (heads / kv_heads) * dim;
    const std::int64_t rows = std::min(query_block, q_rows - begin), seen = causal ? k_rows - q_rows + begin + 1 : k_rows,
                       step = causal ? 1 : 0;
    const std::int64_t keys = seen + step * (rows - 1);
    attend<Products>(
        {q.f32() + first, heads * dim, rows, k.f32() + kv_first, v.f32() + kv_first, kv_heads * dim, keys, dim, out.f32() + first, product},
        seen, step);
  });
}

void attention(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor /*scratch*/, Tensor out) {
  attend_heads<Float32Products>(exec, q, k, v, causal, out);
}

void attention_bf16(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor scratch, Tensor out) {
  if (q.shape[2] > most_rounded_dim) return attention(exec, q, k, v, causal, scratch, out);
  if (instruction_set() == InstructionSet::amx) return attention_by_tiles(exec, q, k, v, causal, out, multiply_tiles);
  attend_heads<RoundedProducts>(exec, q, k, v, causal, out);
}

void paged_attention(const Exec& exec, Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values, Tensor table, Tensor rows, Tensor out) {
  const std::int64_t heads = q.shape[1], dim = q.shape[2], kv_heads = keys.shape[1], slots = keys.shape[3], group = heads / kv_heads;
  const std::int64_t head_floats = dim * slots, page_floats = kv_heads * head_floats;
  const auto* where = rows.as<std::int32_t>();
  const auto pages_of = [&](std::int64_t row) { return table.as<std::int32_t>() + where[2 * row] * table.width(); };
  for (std::int64_t row = 0; row < q.shape[0]; ++row) {
    const std::int64_t place = where[2 * row + 1], slot = place % slots, page = pages_of(row)[place / slots] * page_floats;
    for (std::int64_t head = 0; head < kv_heads; ++head) {
      const std::int64_t from = (row * kv_heads + head) * dim;
      float* key = keys.f32() + page + head * head_floats + slot;
      for (std::int64_t i = 0; i < dim; ++i) key[i * slots] = k.f32()[from + i];
      std::copy_n(v.f32() + from, dim, values.f32() + page + head * head_floats + slot * dim);
    }
  }
  const std::int64_t work = std::max<std::int64_t>(1, table.width() * slots * dim * group);  // products of one item, at most
  in_pieces(exec, q.shape[0] * kv_heads, std::max<std::int64_t>(1, products_per_attention_piece / work),
            [&](std::int64_t begin, std::int64_t end) {
              for (std::int64_t item = begin; item < end; ++item) {
                const std::int64_t row = item / kv_heads, head = item % kv_heads, at = (row * heads + head * group) * dim;
                HWY_DYNAMIC_DISPATCH(attend_group)
                (q.f32() + at, group, keys.f32() + head * head_floats, values.f32() + head * head_floats, pages_of(row), page_floats, slots,
                 dim, where[2 * row + 1] + 1, out.f32() + at);
              }
            });
}

}  // namespace

void attention_by_tiles(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor out, TileProduct* product) {
  attend_heads<TiledProducts>(exec, q, k, v, causal, out, product);
}

void add_cpu_attention(Kernels& table) {
  table.attention = attention;
  table.paged_attention = paged_attention;
}

void add_cpu_attention_bf16(Kernels& table) { table.attention = attention_bf16; }

}  // namespace fabula
#endif  // HWY_ONCE
