import java.nio.file.Path;
import org.apache.flink.statefun.flink.harness.Harness;

/**
 * One StateFun cluster in this JVM, until the JVM ends: {@code Runner MODULE.yaml [flink.key=value ...]}. The JVM ends with
 * whoever holds its standard input.
 */
final class Runner {
  private Runner() {}

  public static void main(String[] arguments) throws Exception {
    endWithInput();
    Harness cluster =
        new Harness()
            .withConfiguration("statefun.remote.module-name", Path.of(arguments[0]).toUri().toString())
            .withParallelism(1);
    for (int index = 1; index < arguments.length; index++) {
      String[] setting = arguments[index].split("=", 2);
      cluster.withConfiguration(setting[0], setting[1]);
    }
    cluster.start();
  }

  private static void endWithInput() {
    Thread watcher =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {}
              } catch (java.io.IOException gone) {
                // The same as its end.
              }
              Runtime.getRuntime().halt(1);
            });
    watcher.setDaemon(true);
    watcher.start();
  }
}
