package dev.einfall.command.page;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Places the boxes of an acyclic graph in layers, so that arrows run downward, are short, and cross little.
///
/// An arrow over several layers goes through a bend in each; arrows of one port share bends. The order in a layer
/// comes from sweeps of averages of neighbours, and the places from sweeps of least squares under the order.
final class LayeredLayout {
  private static final int ORDER_SWEEPS = 12;
  private static final int PLACE_SWEEPS = 120;
  private static final double BOX_GAP = 28;
  private static final double BEND_GAP = 12;
  private static final double LAYER_GAP = 40;
  private static final double PORT_GAP = 18;

  record Box(double width, double height) {}

  /// An arrow from one box to a later one. Arrows of the same `port` carry the same tensor.
  record Arrow(int from, int port, int to) {}

  record Point(double x, double y) {}

  /// A piece of the arrows of one port: points from the top down; the last is where an arrow's head is, if `hasHead`.
  record Piece(int from, int port, int to, List<Point> points, boolean hasHead) {}

  /// @param corners the left upper corner of each box
  record Picture(List<Point> corners, List<Piece> pieces, double width, double height) {}

  /// A box or a bend.
  private static final class Cell {
    private final int box;
    private final int layer;
    private final double width;
    private final List<Link> up = new ArrayList<>();
    private final List<Link> down = new ArrayList<>();
    private int position;
    private double x;

    private Cell(int box, int layer, double width) {
      this.box = box;
      this.layer = layer;
      this.width = width;
    }

    private boolean isBend() {
      return box < 0;
    }
  }

  private record Link(Cell upper, Cell lower, Arrow arrow) {
    /// Long arrows are straight before short ones are.
    private double weight() {
      return upper.isBend() && lower.isBend() ? 40 : upper.isBend() || lower.isBend() ? 2 : 1;
    }
  }

  private final List<Box> boxes;
  private final List<Arrow> arrows;
  private final List<List<Cell>> layers = new ArrayList<>();
  private final List<Cell> cells = new ArrayList<>();

  private LayeredLayout(List<Box> boxes, List<Arrow> arrows) {
    this.boxes = boxes;
    this.arrows = arrows;
  }

  static Picture of(List<Box> boxes, List<Arrow> arrows) {
    LayeredLayout layout = new LayeredLayout(boxes, arrows);
    layout.makeCells(layout.layersOfBoxes());
    layout.order();
    layout.place();
    return layout.picture();
  }

  /// The layer of each box: below all that it needs, and as near as it can be to its users if it needs less than they are.
  private int[] layersOfBoxes() {
    int[] layer = new int[boxes.size()];
    boolean changed = true;
    for (int round = 0; changed && round < boxes.size(); round++) {
      changed = false;
      for (Arrow arrow : arrows) {
        if (layer[arrow.to] <= layer[arrow.from]) {
          layer[arrow.to] = layer[arrow.from] + 1;
          changed = true;
        }
      }
    }
    changed = true;
    for (int round = 0; changed && round < boxes.size(); round++) {
      changed = false;
      for (int box = 0; box < boxes.size(); box++) {
        int lowest = lowest(box, layer);
        if (lowest > layer[box]) {
          layer[box] = lowest;
          changed = true;
        }
      }
    }
    return layer;
  }

  private int lowest(int box, int[] layer) {
    List<Arrow> out = arrows.stream().filter(arrow -> arrow.from == box).toList();
    long in = arrows.stream().filter(arrow -> arrow.to == box).count();
    return out.isEmpty() || in >= out.size() ? layer[box]
        : out.stream().mapToInt(arrow -> layer[arrow.to]).min().orElseThrow() - 1;
  }

  private void makeCells(int[] layer) {
    for (int box = 0; box < boxes.size(); box++) {
      cells.add(cell(box, layer[box], boxes.get(box).width()));
    }
    Map<List<Integer>, List<Arrow>> ports = new LinkedHashMap<>();
    arrows.stream().distinct().forEach(arrow ->
        ports.computeIfAbsent(List.of(arrow.from, arrow.port), _ -> new ArrayList<>()).add(arrow));
    ports.values().forEach(port -> link(port, layer));
  }

  private Cell cell(int box, int layer, double width) {
    while (layers.size() <= layer) {
      layers.add(new ArrayList<>());
    }
    Cell cell = new Cell(box, layer, width);
    cell.position = layers.get(layer).size();
    layers.get(layer).add(cell);
    return cell;
  }

  /// Links the arrows of one port, through shared bends.
  private void link(List<Arrow> port, int[] layer) {
    Cell above = cells.get(port.getFirst().from);
    int last = port.stream().mapToInt(arrow -> layer[arrow.to]).max().orElseThrow();
    for (int i = above.layer + 1; i <= last; i++) {
      for (Arrow arrow : port) {
        if (layer[arrow.to] == i) {
          link(above, cells.get(arrow.to), arrow);
        }
      }
      if (i < last) {
        Cell bend = cell(-1, i, 0);
        link(above, bend, port.getFirst());
        above = bend;
      }
    }
  }

  private static void link(Cell upper, Cell lower, Arrow arrow) {
    Link link = new Link(upper, lower, arrow);
    upper.down.add(link);
    lower.up.add(link);
  }

  private void order() {
    List<List<Cell>> best = copy();
    long fewest = crossings();
    for (int sweep = 0; sweep < ORDER_SWEEPS && fewest > 0; sweep++) {
      boolean downward = sweep % 2 == 0;
      for (int i = 0; i < layers.size(); i++) {
        sort(layers.get(downward ? i : layers.size() - 1 - i), downward);
      }
      long now = crossings();
      if (now < fewest) {
        fewest = now;
        best = copy();
      }
    }
    for (int i = 0; i < layers.size(); i++) {
      layers.set(i, best.get(i));
      number(best.get(i));
    }
  }

  private List<List<Cell>> copy() {
    return new ArrayList<>(layers.stream().<List<Cell>>map(ArrayList::new).toList());
  }

  private static void sort(List<Cell> layer, boolean downward) {
    layer.sort(Comparator.comparingDouble(cell -> (downward ? cell.up : cell.down).stream()
        .mapToInt(link -> (downward ? link.upper : link.lower).position).average().orElse(cell.position)));
    number(layer);
  }

  private static void number(List<Cell> layer) {
    for (int i = 0; i < layer.size(); i++) {
      layer.get(i).position = i;
    }
  }

  private long crossings() {
    long count = 0;
    for (List<Cell> layer : layers) {
      List<Link> links = layer.stream().flatMap(cell -> cell.down.stream()).toList();
      for (int i = 0; i < links.size(); i++) {
        for (int j = i + 1; j < links.size(); j++) {
          int above = Integer.compare(links.get(i).upper.position, links.get(j).upper.position);
          int below = Integer.compare(links.get(i).lower.position, links.get(j).lower.position);
          count += above * below < 0 ? 1 : 0;
        }
      }
    }
    return count;
  }

  private void place() {
    for (int sweep = 0; sweep < PLACE_SWEEPS; sweep++) {
      for (int i = 0; i < layers.size(); i++) {
        place(layers.get(sweep % 2 == 0 ? i : layers.size() - 1 - i));
      }
    }
    double left = cells().mapToDouble(cell -> cell.x - cell.width / 2).min().orElse(0);
    cells().forEach(cell -> cell.x -= left);
  }

  private java.util.stream.Stream<Cell> cells() {
    return layers.stream().flatMap(List::stream);
  }

  /// Moves the cells of a layer as near as their order allows to the averages of their neighbours: neighbouring cells that
  /// want to pass each other become one block, at the average of what they want.
  private static void place(List<Cell> layer) {
    List<double[]> blocks = new ArrayList<>();
    double offset = 0;
    double[] offsets = new double[layer.size()];
    for (int i = 0; i < layer.size(); i++) {
      Cell cell = layer.get(i);
      if (i > 0) {
        Cell before = layer.get(i - 1);
        offset += (before.width + cell.width) / 2 + (before.isBend() || cell.isBend() ? BEND_GAP : BOX_GAP);
      }
      offsets[i] = offset;
      double[] wish = wish(cell);
      double[] block = {wish[0] - offset, wish[1], 1};
      while (!blocks.isEmpty() && blocks.getLast()[0] >= block[0]) {
        double[] before = blocks.removeLast();
        double weight = before[1] + block[1];
        block = new double[] {(before[0] * before[1] + block[0] * block[1]) / weight, weight, before[2] + block[2]};
      }
      blocks.add(block);
    }
    int next = 0;
    for (double[] block : blocks) {
      for (int i = 0; i < block[2]; i++, next++) {
        layer.get(next).x = block[0] + offsets[next];
      }
    }
  }

  /// Where a cell wants to be, and how much.
  private static double[] wish(Cell cell) {
    double sum = 0;
    double weight = 0;
    for (Link link : cell.up) {
      sum += link.weight() * (link.upper.x + shift(link));
      weight += link.weight();
    }
    for (Link link : cell.down) {
      sum += link.weight() * (link.lower.x - shift(link));
      weight += link.weight();
    }
    return weight == 0 ? new double[] {cell.x, 0.1} : new double[] {sum / weight, weight};
  }

  /// How far from the middle of its upper box a link starts.
  private static double shift(Link link) {
    return link.upper.isBend() ? 0 : portShift(link.upper, link.arrow.port);
  }

  private static double portShift(Cell cell, int port) {
    List<Integer> ports = cell.down.stream().map(link -> link.arrow.port).distinct().sorted().toList();
    return (ports.indexOf(port) - (ports.size() - 1) / 2.0) * PORT_GAP;
  }

  private Picture picture() {
    double[] top = new double[layers.size() + 1];
    double[] height = new double[layers.size()];
    for (int i = 0; i < layers.size(); i++) {
      height[i] = layers.get(i).stream().filter(cell -> !cell.isBend())
          .mapToDouble(cell -> boxes.get(cell.box).height()).max().orElse(0);
      top[i + 1] = top[i] + height[i] + LAYER_GAP;
    }
    List<Point> corners = cells.stream().map(cell -> new Point(cell.x - cell.width / 2,
        top[cell.layer] + (height[cell.layer] - boxes.get(cell.box).height()) / 2)).toList();
    List<Piece> pieces = new ArrayList<>();
    cells().forEach(cell -> cell.down.forEach(link -> pieces.add(piece(link, top, height))));
    double width = cells().mapToDouble(cell -> cell.x + cell.width / 2).max().orElse(0);
    return new Picture(corners, pieces, width, Math.max(0, top[layers.size()] - LAYER_GAP));
  }

  private Piece piece(Link link, double[] top, double[] height) {
    Cell upper = link.upper;
    Cell lower = link.lower;
    double startX = upper.x + shift(link);
    double endX = lower.x + (lower.isBend() ? 0 : entry(link));
    double bottom = top[upper.layer] + height[upper.layer];
    double startY = upper.isBend() ? top[upper.layer] : bottom - (height[upper.layer] - boxes.get(upper.box).height()) / 2;
    double endY = top[lower.layer];
    List<Point> points = new ArrayList<>();
    points.add(new Point(startX, startY));
    points.add(new Point(startX, bottom));
    points.add(new Point(endX, endY));
    if (!lower.isBend()) {
      points.add(new Point(endX, endY + (height[lower.layer] - boxes.get(lower.box).height()) / 2));
    }
    return new Piece(link.arrow.from, link.arrow.port, lower.isBend() ? -1 : lower.box, points, !lower.isBend());
  }

  /// How far from the middle of its lower box a link ends: links come in from left to right.
  private static double entry(Link link) {
    List<Link> in = link.lower.up.stream()
        .sorted(Comparator.comparingDouble((Link other) -> other.upper.x + shift(other))).toList();
    double gap = Math.min(PORT_GAP, (link.lower.width - 24) / Math.max(1, in.size()));
    return (in.indexOf(link) - (in.size() - 1) / 2.0) * gap;
  }
}
