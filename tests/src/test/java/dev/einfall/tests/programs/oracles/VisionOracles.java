package dev.einfall.tests.programs.oracles;

import static dev.einfall.tests.programs.oracles.PlainLoops.add;
import static dev.einfall.tests.programs.oracles.PlainLoops.concat;
import static dev.einfall.tests.programs.oracles.PlainLoops.map;
import static dev.einfall.tests.programs.oracles.PlainLoops.relu;
import static dev.einfall.tests.programs.oracles.PlainLoops.sum;

import java.util.List;

/// The programs in `programs/vision` that are made of convolutions.
final class VisionOracles {
  private VisionOracles() {}

  static List<OracleCase> cases() {
    return List.of(
        images("mobilenet_v2", "C=3 M=7").gives(VisionOracles::mobilenet),
        images("mobilenet_v2_stride", "C=3 M=7 N=5").gives(VisionOracles::mobilenetStride),
        images("mobileone", "C=3").givesAll(VisionOracles::mobileone),
        images("inception_next", "C=7 G=2").gives(VisionOracles::inceptionNext),
        images("fasternet", "C=7 P=3 M=9").gives(VisionOracles::fasternet),
        images("vovnet", "C=3 M=4").gives(VisionOracles::vovnet),
        OracleCase.of("vision/tresnet_stem").sizes("B=1 M=3").sizes("B=3 M=17").terms(432).gives(VisionOracles::tresnet),
        images("leyolo_neck", "C=3 D=5 M=4").gives(VisionOracles::leyolo),
        OracleCase.of("vision/reversible_3d").sizes("B=1 C=1 L=1 H=1 W=1").sizes("B=2 C=3 L=3 H=4 W=7").terms(200)
            .givesAll(VisionOracles::reversible),
        OracleCase.of("vision/conv3d_stride").sizes("B=1 C=1 M=1 L=3 H=3 W=3").sizes("B=2 C=3 M=4 L=5 H=4 W=17").terms(100)
            .givesAll(VisionOracles::volume),
        OracleCase.of("vision/evonorm").sizes("B=1 C=2 H=3 W=1").sizes("B=3 C=6 H=7 W=9").gives(VisionOracles::evonorm),
        OracleCase.of("vision/shufflenet").sizes("B=1 H=1 W=1").sizes("B=2 H=7 W=17").gives(VisionOracles::shufflenet),
        images("decoder", "C=3 M=4 N=9").givesAll(in -> List.of(
            Convolutions.transposed(in.of("X"), in.of("F"), 2, 1), Convolutions.transposed(in.of("S"), in.of("G"), 3, 1))),
        OracleCase.of("vision/sequences").sizes("B=1 M=1 N=4").sizes("B=3 M=5 N=17").givesAll(VisionOracles::sequences),
        images("super_resolution", "C=3 P=9").terms(300).givesAll(VisionOracles::superResolution),
        images("folded_batch_norm", "C=3 M=5").fill("variance", Fill.between(0.1, 2)).terms(400)
            .givesAll(VisionOracles::batchNorm),
        images("weighted_convolution", "C=3 M=5").gives(VisionOracles::weighted),
        images("indirect_convolution", "C=3 M=5").gives(in -> Convolutions.of(in.of("X"), in.of("F"), 2, 2, 2, 1)),
        OracleCase.of("vision/continuous_convolution").sizes("N=1 C=1 K=1 M=1").sizes("N=17 C=3 K=7 M=5")
            .gives(VisionOracles::continuous));
  }

  private static OracleCase images(String program, String channels) {
    return OracleCase.of("vision/" + program).sizes("B=1 H=1 W=1 " + channels).sizes("B=2 H=7 W=17 " + channels).terms(150);
  }

  private static Doubles relu6(Doubles x) {
    return map(x, v -> Math.min(Math.max(v, 0), 6));
  }

  private static Doubles mobilenet(Inputs in) {
    Doubles wide = relu6(Convolutions.pointwise(in.of("X"), in.of("widen")));
    Doubles filtered = relu6(Convolutions.depthwise(wide, in.of("F"), 1, 1, 1));
    return add(in.of("X"), Convolutions.pointwise(filtered, in.of("narrow")));
  }

  private static Doubles mobilenetStride(Inputs in) {
    Doubles wide = relu6(Convolutions.pointwise(in.of("X"), in.of("widen")));
    return Convolutions.pointwise(relu6(Convolutions.depthwise(wide, in.of("F"), 2, 1, 1)), in.of("narrow"));
  }

  /// Both outputs are the branches.
  private static List<Doubles> mobileone(Inputs in) {
    Doubles x = in.of("X");
    Doubles y = relu(add(add(Convolutions.of(x, in.of("F3"), 1, 1), Convolutions.pointwise(x, in.of("F1"))), x));
    return List.of(y, y);
  }

  private static Doubles inceptionNext(Inputs in) {
    Doubles x = in.of("X");
    int group = in.size("G");
    int plain = in.size("C") - 3 * group;
    return Doubles.of(i -> {
      int part = i[1] < plain ? 0 : 1 + (i[1] - plain) / group;
      int channel = (i[1] - plain) % group;
      return switch (part) {
        case 0 -> x.get(i);
        case 1 -> sum(9, t -> in.of("square").get(channel, t / 3, t % 3) * outside(x, i, t / 3 - 1, t % 3 - 1));
        case 2 -> sum(11, t -> in.of("row").get(channel, t) * outside(x, i, 0, t - 5));
        default -> sum(11, t -> in.of("column").get(channel, t) * outside(x, i, t - 5, 0));
      };
    }, x.shape());
  }

  /// The neighbour of a pixel; 0 outside of the image.
  private static double outside(Doubles x, int[] i, int down, int right) {
    int row = i[2] + down;
    int column = i[3] + right;
    return row < 0 || column < 0 || row >= x.size(2) || column >= x.size(3) ? 0 : x.get(i[0], i[1], row, column);
  }

  private static Doubles fasternet(Inputs in) {
    Doubles x = in.of("X");
    int channels = in.size("P");
    Doubles first = Doubles.of(x::get, x.size(0), channels, x.size(2), x.size(3));
    Doubles convolved = Convolutions.of(first, in.of("F"), 1, 1);
    Doubles mixed = Doubles.of(i -> i[1] < channels ? convolved.get(i) : x.get(i), x.shape());
    return add(x, Convolutions.pointwise(relu(Convolutions.pointwise(mixed, in.of("widen"))), in.of("narrow")));
  }

  private static Doubles vovnet(Inputs in) {
    Doubles joined = in.of("X");
    Doubles last = in.of("X");
    for (String name : List.of("F1", "F2", "F3")) {
      last = relu(Convolutions.of(last, in.of(name), 1, 1));
      joined = concat(1, joined, last);
    }
    return add(relu(Convolutions.pointwise(joined, in.of("join"))), in.of("X"));
  }

  private static Doubles tresnet(Inputs in) {
    Doubles x = in.of("X");
    Doubles deep = Doubles.of(i -> x.get(i[0], i[1] / 16, 4 * i[2] + i[1] % 16 / 4, 4 * i[3] + i[1] % 4), x.size(0), 48, 4, 6);
    Doubles y = Convolutions.of(deep, in.of("F"), 1, 1);
    return Doubles.of(i -> {
      double v = y.get(i) + in.of("bias").get(i[1]);
      return Math.max(v, 0.001 * v);
    }, y.shape());
  }

  private static Doubles leyolo(Inputs in) {
    Doubles coarse = in.of("coarse");
    Doubles fine = in.of("fine");
    Doubles repeated = Doubles.of(i -> coarse.get(i[0], i[1], i[2] / 2, i[3] / 2),
        coarse.size(0), coarse.size(1), fine.size(2), fine.size(3));
    Doubles mixed = relu(Convolutions.pointwise(concat(1, fine, repeated), in.of("mix")));
    return Convolutions.depthwise(mixed, in.of("F"), 2, 2, 1);
  }

  /// The block gives back its inputs.
  private static List<Doubles> reversible(Inputs in) {
    Doubles y1 = add(in.of("X1"), map(Convolutions.of(in.of("X2"), in.of("F"), 1, 1), Math::tanh));
    Doubles y2 = add(in.of("X2"), map(Convolutions.of(y1, in.of("G"), 1, 1), Math::tanh));
    return List.of(y1, y2, in.of("X1"), in.of("X2"));
  }

  private static List<Doubles> volume(Inputs in) {
    Doubles x = in.of("X");
    Doubles largest = Doubles.of(i -> PlainLoops.max(8, t -> x.get(i[0], i[1], i[2] + t / 4, i[3] + t / 2 % 2, i[4] + t % 2)),
        x.size(0), x.size(1), x.size(2) - 1, x.size(3) - 1, x.size(4) - 1);
    return List.of(Convolutions.of(x, in.of("F"), 2, 2, 2, 1), largest);
  }

  private static Doubles evonorm(Inputs in) {
    Doubles x = in.of("X");
    int half = x.size(1) / 2;
    int pixels = x.size(2) * x.size(3);
    return Doubles.of(i -> {
      int group = i[1] / half;
      int count = half * pixels;
      double mean = sum(count, k -> element(x, i[0], group * half, k)) / count;
      double variance = sum(count, k -> Math.pow(element(x, i[0], group * half, k) - mean, 2)) / count;
      double v = x.get(i);
      return v * PlainLoops.sigmoid(in.of("v").get(i[1]) * v) / Math.sqrt(variance + 0.001) * in.of("gamma").get(i[1])
          + in.of("beta").get(i[1]);
    }, x.shape());
  }

  /// Element `k` of the channels from `channel` on.
  private static double element(Doubles x, int image, int channel, int k) {
    int pixels = x.size(2) * x.size(3);
    return x.get(image, channel + k / pixels, k % pixels / x.size(3), k % x.size(3));
  }

  private static Doubles shufflenet(Inputs in) {
    Doubles mixed = relu(Convolutions.of(in.of("X"), in.of("mix"), 1, 0, 1, 3));
    Doubles shuffled = Doubles.of(i -> mixed.get(i[0], i[1] % 3 * 4 + i[1] / 3, i[2], i[3]), mixed.shape());
    return Convolutions.of(shuffled, in.of("F"), 2, 1, 1, 4);
  }

  private static List<Doubles> sequences(Inputs in) {
    Doubles x = in.of("X");
    Doubles filter = in.of("K");
    Doubles causal = Doubles.of(i -> sum(6, c -> sum(3, r -> i[2] - 3 * (2 - r) < 0 ? 0
        : filter.get(i[1], c, r) * x.get(i[0], c, i[2] - 3 * (2 - r)))), x.size(0), filter.size(0), x.size(2));
    return List.of(Convolutions.of(x, in.of("F"), 2, 2, 2, 1), Convolutions.of(x, in.of("G"), 1, 2, 1, 2),
        Convolutions.depthwise(x, in.of("D"), 1, 0, 1), causal);
  }

  /// Both outputs are those of the blocks before they collapse.
  private static List<Doubles> superResolution(Inputs in) {
    Doubles x = in.of("X");
    Doubles deep = Convolutions.pointwise(Convolutions.of(x, in.of("F"), 1, 2), in.of("G"));
    Doubles y = Doubles.of(i -> deep.get(i[0], i[1] * 4 + i[2] % 2 * 2 + i[3] % 2, i[2] / 2, i[3] / 2)
        + Interpolation.bilinear(x, new int[] {i[0], i[1]}, (i[2] + 0.5) / 2 - 0.5, (i[3] + 0.5) / 2 - 0.5),
        x.size(0), x.size(1), 2 * x.size(2), 2 * x.size(3));
    return List.of(y, y);
  }

  private static List<Doubles> batchNorm(Inputs in) {
    Doubles convolved = Convolutions.of(in.of("X"), in.of("F"), 1, 1);
    Doubles y = Doubles.of(i -> (convolved.get(i) - in.of("mean").get(i[1])) / Math.sqrt(in.of("variance").get(i[1]) + 0.001)
        * in.of("gamma").get(i[1]) + in.of("beta").get(i[1]), convolved.shape());
    return List.of(y, y);
  }

  private static Doubles continuous(Inputs in) {
    Doubles times = in.of("times");
    return Doubles.of(i -> sum(in.size("N"), j -> {
      double apart = times.get(i[0]) - times.get(j);
      return Math.abs(apart) > 0.7f ? 0 : sum(in.size("C"), c -> in.of("X").get(j, c) * sum(in.size("K"),
          k -> in.of("W2").get(i[1], c, k) * Math.sin(in.of("W1").get(k) * apart + in.of("B1").get(k))));
    }), in.size("N"), in.size("M"));
  }

  private static Doubles weighted(Inputs in) {
    Doubles filter = in.of("F");
    Doubles scaled = Doubles.of(i -> filter.get(i) * in.of("density").get(i[2], i[3]), filter.shape());
    return Convolutions.of(in.of("X"), scaled, 1, 1);
  }
}
