package dev.einfall.tests.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.tests.runtime.Batch;
import dev.einfall.tests.runtime.MiniLm;
import dev.einfall.tests.runtime.OnnxPeer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// all-MiniLM-L6-v2 in each engine, from the files of the program and the weights until it can run on one text of 128 tokens.
final class StartingEngines {
  private static final int TOKENS = 128;

  private StartingEngines() {}

  /// @param cache where compiled programs are kept
  static StartupClock.Started einfall(int threads, Optional<Path> cache) throws Exception {
    try (OnnxFile weights = OnnxFile.open(MiniLm.weights())) {
      Program program = Einfall.compile(MiniLm.PROGRAM, Options.defaults().withThreads(threads).withWeights(weights).withCache(cache));
      Map<String, Tensor> inputs = Batch.random(1, TOKENS).inputs();
      program.prepareFor(inputs);
      return new StartupClock.Started() {
        @Override
        public void run() {
          program.run(inputs).values().forEach(Tensor::close);
        }

        @Override
        public void close() {
          program.close();
          inputs.values().forEach(Tensor::close);
        }
      };
    }
  }

  static StartupClock.Started onnxRuntime(int threads) throws Exception {
    OnnxPeer peer = new OnnxPeer(threads);
    Map<String, OnnxTensor> inputs = peer.inputs(Batch.random(1, TOKENS));
    return new StartupClock.Started() {
      @Override
      public void run() throws Exception {
        peer.run(inputs).close();
      }

      @Override
      public void close() {
        inputs.values().forEach(OnnxTensor::close);
        try {
          peer.close();
        } catch (OrtException e) {
          throw new IllegalStateException(e);
        }
      }
    };
  }
}
