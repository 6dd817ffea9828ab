package dev.einfall.frontend;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The elements of tensors in another arrangement, as Einsums with index arithmetic.
final class Views {
  /// The functions that make views.
  static final List<String> NAMES = List.of("reshape", "transpose", "concat");

  private Views() {}

  /// An Einsum's ranks and value.
  record View(List<Rank> ranks, Expr value) {
    View {
      ranks = List.copyOf(ranks);
    }
  }

  static View copy(Tensor tensor) {
    List<Rank> ranks = ranks(tensor.shape());
    return new View(ranks, access(tensor, coordinates(ranks)));
  }

  /// Dimension `d` of the result is dimension `order[d]` of the tensor.
  static View transpose(Tensor tensor, List<Integer> order) {
    List<Rank> ranks = ranks(order.stream().map(tensor.shape()::get).toList());
    List<Expr> indices = new ArrayList<>(coordinates(ranks));
    for (int i = 0; i < order.size(); i++) {
      indices.set(order.get(i), new Expr.Coordinate(ranks.get(i)));
    }
    return new View(ranks, access(tensor, indices));
  }

  /// One dimension of a slice: the elements from `from`, `size` many, or the single element `from`.
  record Part(Size from, Size size, boolean isSingle) {}

  static View slice(Tensor tensor, List<Part> parts) {
    List<Size> kept = parts.stream().filter(part -> !part.isSingle()).map(Part::size).toList();
    List<Rank> ranks = ranks(kept);
    List<Expr> indices = new ArrayList<>();
    int next = 0;
    for (Part part : parts) {
      indices.add(part.isSingle() ? extent(part.from())
          : add(new Expr.Coordinate(ranks.get(next++)), part.from()));
    }
    return new View(ranks, access(tensor, indices));
  }

  /// The tensors one after another along dimension `axis`.
  static View concat(List<Tensor> tensors, int axis) {
    Size total = tensors.stream().map(tensor -> tensor.shape().get(axis)).reduce(Size.of(0), Size::plus);
    List<Size> shape = new ArrayList<>(tensors.getFirst().shape());
    shape.set(axis, total);
    List<Rank> ranks = ranks(shape);
    return new View(ranks, part(tensors, axis, ranks, Size.of(0)));
  }

  private static Expr part(List<Tensor> tensors, int axis, List<Rank> ranks, Size start) {
    Tensor first = tensors.getFirst();
    Expr coordinate = new Expr.Coordinate(ranks.get(axis));
    List<Expr> indices = new ArrayList<>(coordinates(ranks));
    indices.set(axis, start.terms().isEmpty() ? coordinate : new Expr.Binary(BinaryOp.SUB, coordinate, extent(start)));
    Expr value = access(first, indices);
    if (tensors.size() == 1) {
      return value;
    }
    Size end = start.plus(first.shape().get(axis));
    return new Expr.Select(new Expr.Binary(BinaryOp.LT, coordinate, extent(end)), value,
        part(tensors.subList(1, tensors.size()), axis, ranks, end));
  }

  /// The elements in row-major order in another shape of as many elements.
  static View reshape(Tensor tensor, List<Size> shape) {
    List<Rank> ranks = ranks(shape);
    List<Expr> indices = new ArrayList<>();
    int from = 0;
    int to = 0;
    while (from < tensor.shape().size()) {
      int[] ends = group(tensor.shape(), from, shape, to);
      indices.addAll(unflatten(tensor.shape().subList(from, ends[0]), ranks.subList(to, ends[1])));
      from = ends[0];
      to = ends[1];
    }
    return new View(ranks, access(tensor, indices));
  }

  /// The ends of the shortest runs of dimensions, from `from` and `to` on, that hold equally many elements.
  private static int[] group(List<Size> old, int from, List<Size> shape, int to) {
    Size left = old.get(from);
    Size right = Size.of(1);
    int i = from + 1;
    int j = to;
    while (!left.equals(right)) {
      boolean takesRight = j < shape.size() && (left.exactQuotient(right).isPresent() || i == old.size());
      if (takesRight) {
        right = right.times(shape.get(j++));
      } else if (i < old.size()) {
        left = left.times(old.get(i++));
      } else {
        break;
      }
    }
    boolean isLast = i == old.size();
    return new int[] {i, isLast ? shape.size() : j};
  }

  /// The indices of dimensions `sizes` at the element that has the place of `ranks` in row-major order.
  private static List<Expr> unflatten(List<Size> sizes, List<Rank> ranks) {
    if (sizes.size() == ranks.size() && sizes.equals(ranks.stream().map(Rank::size).toList())) {
      return coordinates(ranks);
    }
    Expr place = Expr.index(0);
    for (Rank rank : ranks) {
      place = rank.size().equals(Size.of(1)) ? place : add(times(place, rank.size()), new Expr.Coordinate(rank));
    }
    List<Expr> indices = new ArrayList<>();
    Size stride = Size.of(1);
    for (int i = sizes.size() - 1; i >= 0; i--) {
      Expr quotient = stride.equals(Size.of(1)) ? place : new Expr.Binary(BinaryOp.DIV, place, extent(divisor(stride)));
      boolean isOutermost = product(sizes.subList(0, i)).equals(Size.of(1));
      indices.addFirst(sizes.get(i).equals(Size.of(1)) ? Expr.index(0)
          : isOutermost ? quotient : new Expr.Binary(BinaryOp.MOD, quotient, extent(divisor(sizes.get(i)))));
      stride = stride.times(sizes.get(i));
    }
    return indices;
  }

  static Size product(List<Size> sizes) {
    return sizes.stream().reduce(Size.of(1), Size::times);
  }

  private static Expr times(Expr place, Size size) {
    return place.equals(Expr.index(0)) ? place : new Expr.Binary(BinaryOp.MUL, place, extent(size));
  }

  private static Expr add(Expr left, Expr right) {
    return left.equals(Expr.index(0)) ? right : new Expr.Binary(BinaryOp.ADD, left, right);
  }

  private static Expr add(Expr coordinate, Size offset) {
    return offset.terms().isEmpty() ? coordinate : new Expr.Binary(BinaryOp.ADD, coordinate, extent(offset));
  }

  /// What an index is divided by: no number is divided by a size of 0, over which there are no indices.
  private static Size divisor(Size size) {
    return size.equals(Size.of(0)) ? Size.of(1) : size;
  }

  private static Expr extent(Size size) {
    return size.constant().map(Expr::index).orElseGet(() -> new Expr.Extent(size));
  }

  private static Expr access(Tensor tensor, List<Expr> indices) {
    return new Expr.Access(tensor, indices);
  }

  private static List<Expr> coordinates(List<Rank> ranks) {
    return ranks.stream().<Expr>map(Expr.Coordinate::new).toList();
  }

  /// A rank for each size; that of size `N` is called `n`.
  static List<Rank> ranks(List<Size> shape) {
    List<Rank> ranks = new ArrayList<>();
    for (Size size : shape) {
      String text = size.toString();
      String base = text.matches("[A-Za-z_]\\w*") ? text.toLowerCase(Locale.ROOT) : "i";
      ranks.add(new Rank(fresh(base, ranks), size));
    }
    return ranks;
  }

  private static String fresh(String base, List<Rank> taken) {
    List<String> names = taken.stream().map(Rank::name).toList();
    String name = base;
    for (int i = 1; names.contains(name); i++) {
      name = base + "_" + i;
    }
    return name;
  }
}
