package dev.einfall.tests.peers;

import java.util.Arrays;
import java.util.List;

/// The different convolutions of networks for images of 224 x 224 pixels: ResNet-50, which takes the strides in its 3 x 3 convolutions, and
/// MobileNetV2.
final class ConvCases {
  /// `-` for filters that see one channel.
  private static final String LAYERS = """
      net        count  size    in   out  taps  stride
      resnet         1   224     3    64     7       2
      resnet         1    56    64    64     1       1
      resnet         2    56   256    64     1       1
      resnet         3    56    64    64     3       1
      resnet         4    56    64   256     1       1
      resnet         1    56   256   128     1       1
      resnet         1    56   128   128     3       2
      resnet         4    28   128   512     1       1
      resnet         1    56   256   512     1       2
      resnet         3    28   512   128     1       1
      resnet         3    28   128   128     3       1
      resnet         1    28   512   256     1       1
      resnet         1    28   256   256     3       2
      resnet         6    14   256  1024     1       1
      resnet         1    28   512  1024     1       2
      resnet         5    14  1024   256     1       1
      resnet         5    14   256   256     3       1
      resnet         1    14  1024   512     1       1
      resnet         1    14   512   512     3       2
      resnet         3     7   512  2048     1       1
      resnet         1    14  1024  2048     1       2
      resnet         2     7  2048   512     1       1
      resnet         2     7   512   512     3       1
      mobilenet      1   224     3    32     3       2
      mobilenet      1   112    32     -     3       1
      mobilenet      1   112    32    16     1       1
      mobilenet      1   112    16    96     1       1
      mobilenet      1   112    96     -     3       2
      mobilenet      1    56    96    24     1       1
      mobilenet      2    56    24   144     1       1
      mobilenet      1    56   144     -     3       1
      mobilenet      1    56   144    24     1       1
      mobilenet      1    56   144     -     3       2
      mobilenet      1    28   144    32     1       1
      mobilenet      3    28    32   192     1       1
      mobilenet      2    28   192     -     3       1
      mobilenet      2    28   192    32     1       1
      mobilenet      1    28   192     -     3       2
      mobilenet      1    14   192    64     1       1
      mobilenet      4    14    64   384     1       1
      mobilenet      4    14   384     -     3       1
      mobilenet      3    14   384    64     1       1
      mobilenet      1    14   384    96     1       1
      mobilenet      3    14    96   576     1       1
      mobilenet      2    14   576     -     3       1
      mobilenet      2    14   576    96     1       1
      mobilenet      1    14   576     -     3       2
      mobilenet      1     7   576   160     1       1
      mobilenet      3     7   160   960     1       1
      mobilenet      3     7   960     -     3       1
      mobilenet      2     7   960   160     1       1
      mobilenet      1     7   960   320     1       1
      mobilenet      1     7   320  1280     1       1
      """;

  private ConvCases() {}

  static List<ConvCase> all() {
    return LAYERS.lines().skip(1).map(line -> line.split(" +")).map(ConvCases::read).toList();
  }

  private static ConvCase read(String[] words) {
    boolean isDepthwise = words[4].equals("-");
    int[] numbers = Arrays.stream(words).skip(1).map(word -> word.equals("-") ? words[3] : word).mapToInt(Integer::parseInt).toArray();
    return new ConvCase(words[0], numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], isDepthwise);
  }
}
