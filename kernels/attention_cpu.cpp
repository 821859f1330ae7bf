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
#include "kernels/turn-inl.h"

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
  map(row, count, row, [&](auto v) { return hn::Mul(v, wide(factor)); });
}

// A query's weights of a block of keys are added up as eight sums, of every eighth key, and these as SumOfLanes adds a vector of eight:
// soften()'s order.
constexpr int partial_sums = 8;

/// use(key, key % partial_sums) for all keys. The second is a constant wherever it stands, so that sums it chooses stay in registers.
template <typename Use>
HWY_INLINE void each_key(std::int64_t keys, const Use& use) {
  std::int64_t key = 0;
  for (; key + partial_sums <= keys; key += partial_sums) unrolled<partial_sums>([&](int part) ALWAYS_INLINE { use(key + part, part); });
  unrolled<partial_sums>([&](int part) ALWAYS_INLINE {
    if (key + part < keys) use(key + part, part);
  });
}

/// Which keys of a block a vector of queries sees, and the sums of their weights.
template <typename D, bool is_masked, bool is_whole = false>
class Columns {
 public:
  using V = hn::Vec<D>;

  Columns(const Softmax& s, std::int64_t query)
      : s_(s),
        query_(query),
        seen_(hn::Add(integers(s.visible + s.step * query), hn::Mul(hn::Iota(hn::RebindToSigned<D>(), 0), integers(s.step)))) {}

  [[nodiscard]] HWY_INLINE V product(std::int64_t key) const {
    return load(D(), s_.products + key * s_.stride + query_, s_.queries - query_);
  }

  /// A weight, zero for a key that is not seen.
  [[nodiscard]] HWY_INLINE V seen(V weight, std::int64_t key) const { return is_masked ? hn::IfThenElseZero(sees(key), weight) : weight; }

  /// The largest product so far.
  [[nodiscard]] HWY_INLINE V peak() const {
    const V before = load(D(), s_.largest + query_, s_.queries - query_);
    V peaks[2] = {before, before};
    each_key(s_.keys, [&](std::int64_t key, int part) ALWAYS_INLINE {
      V value = product(key);
      if constexpr (is_masked) value = hn::IfThenElse(sees(key), value, before);
      peaks[part % 2] = hn::Max(peaks[part % 2], value);
    });
    return hn::Max(peaks[0], peaks[1]);
  }

  /// Stores the new peak, the factor that comes with it, and the total.
  HWY_INLINE void keep(V now, V factor, V* sums) const {
    const std::int64_t left = s_.queries - query_;
    for (std::int64_t width = partial_sums / 2; width > 0; width /= 2) {
      for (std::int64_t i = 0; i < width; ++i) sums[i] = hn::Add(sums[i], sums[i + width]);
    }
    store(now, s_.largest + query_, left);
    store(factor, s_.factors + query_, left);
    store(hn::MulAdd(load(D(), s_.total + query_, left), factor, sums[0]), s_.total + query_, left);
  }

 private:
  static HWY_INLINE auto integers(std::int64_t value) { return hn::Set(hn::RebindToSigned<D>(), static_cast<std::int32_t>(value)); }
  [[nodiscard]] HWY_INLINE auto sees(std::int64_t key) const { return hn::RebindMask(D(), hn::Lt(integers(key), seen_)); }

  const Softmax& s_;
  std::int64_t query_;
  hn::Vec<hn::RebindToSigned<D>> seen_;
};

/// soften() for a vector of queries from `query` on. is_masked: some of them do not see all keys.
template <bool is_masked>
void soften_vector(const Softmax& s, std::int64_t query) {
  const Wide d;
  const Columns<Wide, is_masked> columns(s, query);
  const auto now = columns.peak();
  hn::Vec<Wide> sums[partial_sums];
  for (auto& sum : sums) sum = hn::Zero(d);
  each_key(s.keys, [&](std::int64_t key, int part) ALWAYS_INLINE {
    const auto weight = columns.seen(exp(hn::Mul(hn::Sub(columns.product(key), now), hn::Set(d, s.scale))), key);
    store(weight, s.products + key * s.stride + query, s.queries - query);
    sums[part] = hn::Add(sums[part], weight);
  });
  columns.keep(now, exp(hn::Mul(hn::Sub(load(d, s.largest + query, s.queries - query), now), hn::Set(d, s.scale))), sums);
}

/// 2^x for x up to 0 with a relative error of 2.6e-6, far below that of a weight which is rounded to bf16; 2^-126 for less.
template <typename V>
HWY_INLINE V power_of_two(V x) {
  const hn::DFromV<V> d;
  const hn::RebindToSigned<hn::DFromV<V>> integers;
  const auto all = [d](float value) ALWAYS_INLINE { return hn::Set(d, value); };
  const V ones = all(12582912.0F);  // 1.5 · 2^23, as in exp()
  x = hn::Max(x, all(-126.0F));
  const V shifted = hn::Add(x, ones), rest = hn::Sub(x, hn::Sub(shifted, ones));
  V sum = hn::MulAdd(all(9.570102207e-3F), rest, all(5.591785908e-2F));  // least largest relative error between −½ and ½
  sum = hn::MulAdd(sum, rest, all(2.402474433e-1F));
  sum = hn::MulAdd(sum, rest, all(6.931217909e-1F));
  sum = hn::MulAdd(sum, rest, all(9.999992847e-1F));
  return hn::BitCast(d, hn::Add(hn::BitCast(integers, sum), hn::ShiftLeft<23>(hn::BitCast(integers, shifted))));
}

/// The same with weights that are rounded to bf16, two keys at a time: keep(key, upper halves of the words of key, those of key + 1).
/// Totals are those of the weights before they were rounded.
template <bool is_masked, bool is_whole, typename Keep>
HWY_INLINE void soften_rounded_vector(const Softmax& s, std::int64_t query, const Keep& keep) {
  const Wide d;
  const hn::RebindToUnsigned<Wide> words;
  const Columns<Wide, is_masked, is_whole> columns(s, query);
  const auto now = columns.peak(), scale = hn::Set(d, s.scale * 1.44269504F), shift = hn::Mul(now, scale);
  hn::Vec<Wide> sums[partial_sums];
  for (auto& sum : sums) sum = hn::Zero(d);
  const auto rounded = [&](std::int64_t key, int part) ALWAYS_INLINE {  // half a unit of the last place is rounded up
    const auto weight = columns.seen(power_of_two(hn::MulSub(columns.product(key), scale, shift)), key);
    sums[part] = hn::Add(sums[part], weight);
    return hn::Add(hn::BitCast(words, weight), hn::Set(words, 0x8000U));
  };
  const auto pair = [&](std::int64_t key, int part) ALWAYS_INLINE {
    const auto first = rounded(key, part), second = rounded(key + 1, part + 1);
    keep(key, first, second);
  };
  std::int64_t key = 0;
  for (; key + partial_sums <= s.keys; key += partial_sums)
    unrolled<partial_sums / 2>([&](int i) ALWAYS_INLINE { pair(key + 2 * i, 2 * i); });
  unrolled<partial_sums / 2>([&](int i) ALWAYS_INLINE {
    if (key + 2 * i + 1 < s.keys) return pair(key + 2 * i, 2 * i);
    if (key + 2 * i < s.keys) keep(key + 2 * i, rounded(key + 2 * i, 2 * i), hn::Zero(words));
  });
  const auto before = load(d, s.largest + query, s.queries - query);
  columns.keep(now, hn::IfThenElse(hn::Eq(before, now), hn::Set(d, 1.0F), power_of_two(hn::MulSub(before, scale, shift))), sums);
}

/// use(whether some of a vector's queries do not see all keys, its first query) for all vectors.
template <typename Use>
void each_query(const Softmax& s, const Use& use) {
  for (std::int64_t query = 0; query < s.queries; query += static_cast<std::int64_t>(hn::Lanes(Wide()))) {
    if (s.visible + s.step * query < s.keys)
      use(std::true_type(), query);
    else
      use(std::false_type(), query);
  }
}

/// Turns products into weights, exp(scale · (product − the largest so far)), zero for a key that is not seen.
void soften_columns(const Softmax& s) {
  each_query(s, [&](auto is_masked, std::int64_t query) { soften_vector<is_masked.value>(s, query); });
}

/// The same with weights rounded to bf16, as floats in the products' place.
void soften_to_bf16(const Softmax& s) {
  const hn::RebindToUnsigned<Wide> words;
  each_query(s, [&](auto is_masked, std::int64_t query) {
    const auto put = [&](std::int64_t key, auto bits) ALWAYS_INLINE {
      store(hn::BitCast(Wide(), hn::And(bits, hn::Set(words, 0xFFFF0000U))), s.products + key * s.stride + query, s.queries - query);
    };
    soften_rounded_vector<is_masked.value, false>(s, query, [&](std::int64_t key, auto first, auto second) ALWAYS_INLINE {
      put(key, first);
      if (key + 1 < s.keys) put(key + 1, second);
    });
  });
}

/// The same as tiles of b (keys, queries) for block_side queries.
void soften_to_tiles(const Softmax& s, std::uint32_t* tiles) {
  const hn::RebindToUnsigned<Wide> words;
  const std::int64_t deep = tiles_along(s.keys);
  each_query(s, [&](auto is_masked, std::int64_t query) {
    std::uint32_t* column = tiles + query / tile_side * deep * tile_words + query % tile_side;
    soften_rounded_vector<is_masked.value, true>(s, query, [&](std::int64_t key, auto first, auto second) ALWAYS_INLINE {
      const auto both = hn::OrAnd(hn::ShiftRight<16>(first), second, hn::Set(words, 0xFFFF0000U));
      hn::StoreU(both, words, column + key / 2 * tile_side);
    });
    for (std::int64_t pair = (s.keys + 1) / 2; pair < deep * tile_side; ++pair)
      hn::StoreU(hn::Zero(words), words, column + pair * tile_side);
  });
}

/// Columns of sums (rows, columns) times each column's factor.
void scale_columns(Matrix<float> sums, std::int64_t rows, std::int64_t columns, const float* factors) {
  for (std::int64_t row = 0; row < rows; ++row) {
    float* at = sums.data + row * sums.stride;
    map(at, factors, columns, at, [](auto sum, auto factor) { return hn::Mul(sum, factor); });
  }
}

/// out (rows, dim), rows `stride` apart = sums (dim, block_side) turned, each query's by its total.
void store_columns(const float* sums, const float* total, std::int64_t rows, std::int64_t dim, float* out, std::int64_t stride) {
  std::int64_t i = 0;
#if HWY_MAX_BYTES >= 16
  const hn::RebindToFloat<TurnedWords> d;
  for (; i + turned_rows <= dim; i += turned_rows) {
    turn(reinterpret_cast<const std::uint8_t*>(sums + i * block_side), block_side * sizeof(float), rows,
         [&](std::int64_t query, auto words)
             ALWAYS_INLINE { hn::StoreU(hn::Mul(hn::BitCast(d, words), hn::Set(d, 1.0F / total[query])), d, out + query * stride + i); });
  }
#endif
  for (; i < dim; ++i) {
    for (std::int64_t query = 0; query < rows; ++query) out[query * stride + i] = sums[i * block_side + query] * (1.0F / total[query]);
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
HWY_EXPORT(soften_to_bf16);
HWY_EXPORT(soften_to_tiles);
HWY_EXPORT(scale_row);
HWY_EXPORT(scale_columns);
HWY_EXPORT(store_columns);
HWY_EXPORT(attend_group);

constexpr std::int64_t query_block = 192, key_block = 256;
// Rows of a block's products do not fall on the same few sets of the first-level cache: an odd number of its lines.
constexpr std::int64_t products_stride = query_block + 16;

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
};

/// Products of a block of keys with the queries, and the sums of their values: of f32 operands where they lie.
class Float32Products {
 public:
  explicit Float32Products(const HeadBlock& block) : b_(block) {}

  static void soften(const Softmax& s) { HWY_DYNAMIC_DISPATCH(soften_columns)(s); }

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
  static void soften(const Softmax& s) { HWY_DYNAMIC_DISPATCH(soften_to_bf16)(s); }

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
    Products::soften({weights, products_stride, count, block.rows, seen - key, step, scale, largest, total, factors});
    products.sum(key, count, weights, factors);
  }
  products.finish(total);
}

/// Queries of one head that are attended together, and what they see.
struct QueryBlock {
  std::int64_t head, kv_head, first, rows, keys, seen, step;
};

/// use(QueryBlock) for all heads and queries, on the threads of `exec`.
template <typename Use>
void each_block(const Exec& exec, Tensor q, Tensor k, bool causal, const Use& use) {
  const std::int64_t q_rows = q.shape[0], heads = q.shape[1], k_rows = k.shape[0], group = heads / k.shape[1];
  const std::int64_t blocks = (q_rows + query_block - 1) / query_block;
  in_pieces(exec, heads * blocks, 1, [&](std::int64_t piece, std::int64_t) {
    const std::int64_t head = piece / blocks, first = piece % blocks * query_block, rows = std::min(query_block, q_rows - first);
    const std::int64_t seen = causal ? k_rows - q_rows + first + 1 : k_rows, step = causal ? 1 : 0;
    use(QueryBlock{head, head / group, first, rows, seen + step * (rows - 1), seen, step});
  });
}

template <typename Products>
void attend_heads(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor out) {
  const std::int64_t heads = q.shape[1], kv_heads = k.shape[1], dim = q.shape[2];
  each_block(exec, q, k, causal, [&](const QueryBlock& b) {
    const std::int64_t at = (b.first * heads + b.head) * dim, kv_at = b.kv_head * dim;
    attend<Products>({q.f32() + at, heads * dim, b.rows, k.f32() + kv_at, v.f32() + kv_at, kv_heads * dim, b.keys, dim, out.f32() + at},
                     b.seen, b.step);
  });
}

void attention(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor /*scratch*/, Tensor out) {
  attend_heads<Float32Products>(exec, q, k, v, causal, out);
}

void attention_bf16(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor scratch, Tensor out) {
  if (q.shape[2] > most_rounded_dim) return attention(exec, q, k, v, causal, scratch, out);
  if (is_tiled(exec, q)) return attention_by_tiles(exec, q, k, v, causal, scratch, out, amx_tiles());
  attend_heads<RoundedProducts>(exec, q, k, v, causal, out);
}

// ---- by tiles: the bytes of RoundedProducts

/// Tiles of a head's keys (keys, dim), and of its values turned, a block of keys after the other: (dim, keys of the block).
struct TiledHead {
  std::uint32_t *keys, *values;
};

TiledHead tiled_head(Tensor k, Tensor scratch, std::int64_t head) {
  const std::int64_t key_words = words_in_tiles(k.shape[0], k.shape[2]);
  auto* keys = scratch.as<std::uint32_t>() + head * tiled_head_words(k.shape[0], k.shape[2]);
  return {keys, keys + key_words};
}

void tile_heads(const Exec& exec, Tensor k, Tensor v, Tensor scratch) {
  const std::int64_t rows = k.shape[0], dim = k.shape[2], stride = k.shape[1] * dim, blocks = (rows + key_block - 1) / key_block;
  in_pieces(exec, k.shape[1] * blocks, 1, [&](std::int64_t piece, std::int64_t) {
    const std::int64_t head = piece / blocks, block = piece % blocks, key = block * key_block, count = std::min(key_block, rows - key);
    const TiledHead to = tiled_head(k, scratch, head);
    const std::int64_t from = key * stride + head * dim;
    pack_rows({k.f32() + from, stride}, count, dim, to.keys + words_in_tiles(key, dim));
    std::uint32_t* values = to.values + block * words_in_tiles(dim, key_block);
    pack_columns(Matrix<const float>{v.f32() + from, stride}, dim, count, values);
    turn_tiles(values, words_in_tiles(dim, count));
  });
}

/// At most block_side queries of one head, `stride` floats apart as out's rows. Queries are the columns of every product.
void attend_tiled(const float* q, std::int64_t stride, const QueryBlock& b, const TiledHead& head, std::int64_t k_rows, std::int64_t dim,
                  const TileUnit& unit, float* out) {
  alignas(64) std::uint32_t queries[words_in_tiles(block_side, most_rounded_dim)], weights[words_in_tiles(block_side, key_block)];
  alignas(64) float products[key_block * block_side], sums[most_rounded_dim * block_side];
  alignas(64) float largest[block_side], total[block_side] = {}, factors[block_side];
  std::fill_n(largest, block_side, -std::numeric_limits<float>::infinity());
  pack_rows({q, stride}, b.rows, dim, queries);
  turn_tiles(queries, words_in_tiles(block_side, dim));
  const float scale = 1.0F / std::sqrt(static_cast<float>(dim));
  const std::int64_t high = (dim + block_side - 1) / block_side;
  for (std::int64_t key = 0; key < b.keys; key += key_block) {
    const std::int64_t count = std::min(key_block, b.keys - key);
    unit.multiply(head.keys + words_in_tiles(key, dim), tiles_along(dim), queries, tiles_along(dim), (count + block_side - 1) / block_side,
                  products, false);
    HWY_DYNAMIC_DISPATCH(soften_to_tiles)
    ({products, block_side, count, block_side, b.seen - key, b.step, scale, largest, total, factors}, weights);
    if (key > 0 && std::any_of(factors, factors + block_side, [](float factor) { return factor != 1.0F; }))
      HWY_DYNAMIC_DISPATCH(scale_columns)({sums, block_side}, dim, block_side, factors);
    const std::int64_t stored = std::min(key_block, k_rows - key);  // keys of the block, of which a causal query may see but some
    unit.multiply(head.values + key / key_block * words_in_tiles(dim, key_block), tiles_along(stored), weights, tiles_along(count), high,
                  sums, key > 0);
  }
  HWY_DYNAMIC_DISPATCH(store_columns)(sums, total, b.rows, dim, out, stride);
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

std::int64_t tiled_head_words(std::int64_t rows, std::int64_t dim) {
  return words_in_tiles(rows, dim) + (rows + key_block - 1) / key_block * words_in_tiles(dim, key_block);
}

void attention_by_tiles(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor scratch, Tensor out, const TileUnit& unit) {
  tile_heads(exec, k, v, scratch);
  const std::int64_t heads = q.shape[1], dim = q.shape[2], stride = heads * dim;
  each_block(exec, q, k, causal, [&](const QueryBlock& block) {
    unit.begin();
    for (std::int64_t done = 0; done < block.rows; done += block_side) {
      QueryBlock part = block;
      part.rows = std::min(block_side, block.rows - done);
      part.seen += part.step * done;
      part.keys = part.seen + part.step * (part.rows - 1);
      const std::int64_t at = (block.first + done) * stride + block.head * dim;
      attend_tiled(q.f32() + at, stride, part, tiled_head(k, scratch, block.kv_head), k.shape[0], dim, unit, out.f32() + at);
    }
    unit.end();
  });
}

void add_cpu_attention(Kernels& table) {
  table.attention = attention;
  table.paged_attention = paged_attention;
}

void add_cpu_attention_bf16(Kernels& table) { table.attention = attention_bf16; }

}  // namespace fabula
#endif  // HWY_ONCE
