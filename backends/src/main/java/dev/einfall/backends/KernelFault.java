package dev.einfall.backends;

/// A `require` of a kernel did not hold while it ran: its data is at fault, such as an index outside a table.
public final class KernelFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String requirement;
  private final String value;

  /// `requirement` is the text of the `require`, `value` the number that failed it, as text.
  public KernelFault(String requirement, String value) {
    super(requirement + " " + value, null, false, false);
    this.requirement = requirement;
    this.value = value;
  }

  /// What the kernel required.
  public String requirement() {
    return requirement;
  }

  /// The number that failed it.
  public String value() {
    return value;
  }
}
