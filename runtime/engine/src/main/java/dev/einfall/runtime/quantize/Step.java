package dev.einfall.runtime.quantize;

import java.util.Locale;

/// What is done to weights, and to what they are multiplied with, before both are rounded, so that less is lost then. Products stay what they are. Steps are
/// taken in the order in which a policy has them.
public sealed interface Step {

  /// Each element along the rank that is summed is divided by a number, and the weights are multiplied with it, so that large activations become smaller
  /// where weights are not large (SmoothQuant, Xiao et al., 2022): by the largest activation to the power of `strength`, over the largest weight to that of
  /// the rest.
  record Smooth(double strength) implements Step {
    public Smooth {
      if (!(strength >= 0 && strength <= 1)) {
        throw new IllegalArgumentException("smooth=" + strength + ": expected a number from 0 to 1");
      }
    }

    @Override
    public String toString() {
      return String.format(Locale.ROOT, "smooth=%s", strength);
    }
  }

  /// So many columns of each weight stay in `f16`, and what they are multiplied with is not rounded (LLM.int8(), Dettmers et al., 2022): those with the largest
  /// activations where these are rounded, else those that contribute most.
  record Outliers(int count) implements Step {
    public Outliers {
      if (count < 1) {
        throw new IllegalArgumentException("outliers=" + count + ": expected 1 or more");
      }
    }

    @Override
    public String toString() {
      return "outliers=" + count;
    }
  }

  /// Columns are put in the order of their size, so that large ones share groups: the size of activations where these are rounded, else that of the weights.
  record Order() implements Step {
    @Override
    public String toString() {
      return "order";
    }
  }

  /// Blocks of columns are multiplied with an orthogonal matrix of random signs and Hadamard's, which spreads large ones over all (QuIP#, Tseng et al., 2024).
  ///
  /// @param largest size of a block: it is the largest power of two that divides the rank, up to this
  record Rotate(int largest) implements Step {
    public Rotate {
      if (largest < 2 || Integer.bitCount(largest) != 1) {
        throw new IllegalArgumentException("hadamard=" + largest + ": expected a power of two");
      }
    }

    @Override
    public String toString() {
      return "hadamard=" + largest;
    }
  }

  /// Whether it says nothing without what the program computes on some data.
  ///
  /// @param roundsActivations whether these are rounded
  default boolean needsCalibration(boolean roundsActivations) {
    return switch (this) {
      case Smooth _ -> true;
      case Outliers _, Order _ -> roundsActivations;
      case Rotate _ -> false;
    };
  }
}
