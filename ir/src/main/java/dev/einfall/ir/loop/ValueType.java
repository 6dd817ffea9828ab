package dev.einfall.ir.loop;

import dev.einfall.ir.ElementType;

/// The type of a value: `lanes` elements of one type; one lane is a scalar. Printed `f32` or `f32x16`.
public record ValueType(ElementType element, int lanes) {
  public ValueType {
    if (lanes < 1) {
      throw new IllegalArgumentException(lanes + " lanes");
    }
  }

  public static ValueType scalar(ElementType element) {
    return new ValueType(element, 1);
  }

  public boolean isVector() {
    return lanes > 1;
  }

  public ValueType with(ElementType newElement) {
    return new ValueType(newElement, lanes);
  }

  @Override
  public String toString() {
    return lanes == 1 ? element.text() : element.text() + "x" + lanes;
  }
}
