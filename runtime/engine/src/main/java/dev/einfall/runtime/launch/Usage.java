package dev.einfall.runtime.launch;

import java.util.concurrent.atomic.AtomicInteger;

/// Counts the users of a resource, its owner among them, and releases it when the last is gone. So an owner may close
/// what others are using: they finish, and nobody new begins.
public final class Usage {
  private final AtomicInteger users = new AtomicInteger(1);
  private final AtomicInteger owners = new AtomicInteger(1);
  private final Runnable release;

  public Usage(Runnable release) {
    this.release = release;
  }

  /// Begins a use that [#release] ends; false if the owner has closed the resource.
  public boolean acquire() {
    while (owners.get() > 0) {
      int count = users.get();
      if (count == 0) {
        return false;
      }
      if (users.compareAndSet(count, count + 1)) {
        return stays();
      }
    }
    return false;
  }

  /// Ends the use that has just begun if the owner closed the resource meanwhile.
  private boolean stays() {
    if (owners.get() > 0) {
      return true;
    }
    release();
    return false;
  }

  /// Closes the resource without ending the owner's use, which a new owner ends by [#release]; false, and nothing happens,
  /// if there are other users than the owner and the caller, or the resource is closed.
  public boolean handOver() {
    if (owners.getAndSet(0) == 0) {
      return false;
    }
    if (users.get() == 2) {
      return true;
    }
    owners.set(1);
    return false;
  }

  public void release() {
    if (users.decrementAndGet() == 0) {
      release.run();
    }
  }

  /// Ends the owner's use; every call but the first does nothing.
  public void close() {
    if (owners.getAndSet(0) > 0) {
      release();
    }
  }

  public boolean isClosed() {
    return owners.get() == 0;
  }

  /// Whether the resource is gone.
  public boolean isReleased() {
    return users.get() == 0;
  }
}
