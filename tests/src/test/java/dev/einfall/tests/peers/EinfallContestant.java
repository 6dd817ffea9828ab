package dev.einfall.tests.peers;

import dev.einfall.ir.Source;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.util.Map;

/// A program of ours. The result is its first output.
final class EinfallContestant implements Contestant {
  private final Program program;
  private final Map<String, Tensor> inputs;

  /// @param inputs are closed with the contestant
  EinfallContestant(String text, Map<String, Tensor> inputs, Options options) {
    this.program = Einfall.compile(new Source("peers.ein", text), options);
    this.inputs = inputs;
    program.prepareFor(inputs);
  }

  @Override
  public void run() {
    program.run(inputs).values().forEach(Tensor::close);
  }

  @Override
  public float[] result() {
    Map<String, Tensor> outputs = program.run(inputs);
    float[] values = outputs.values().iterator().next().floats();
    outputs.values().forEach(Tensor::close);
    return values;
  }

  @Override
  public void close() {
    program.close();
    inputs.values().forEach(Tensor::close);
  }
}
