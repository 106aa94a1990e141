package example;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A Kafka broker that has what an archive holds, until it is closed: the command karchive serve. */
final class ArchiveBroker implements AutoCloseable {
    private final Process process;
    private final Path directory;

    /** The address, host:port. */
    final String address;

    ArchiveBroker(String archive) throws Exception {
        directory = Files.createTempDirectory("archive-broker");
        Path ready = directory.resolve("address");
        process = new ProcessBuilder(System.getProperty("karchive", "karchive"), "serve", archive, "--quiet", "--listen", "127.0.0.1:0",
                "--ready-file", ready.toString()).redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        for (long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1); !Files.exists(ready); Thread.sleep(10)) {
            if (!process.isAlive() || System.nanoTime() > end) {
                close();
                throw new IOException("karchive serve " + archive + " did not begin");
            }
        }
        address = Files.readString(ready).strip();
    }

    @Override
    public void close() throws Exception {
        process.destroy();
        process.waitFor();
        Files.deleteIfExists(directory.resolve("address"));
        Files.deleteIfExists(directory);
    }
}
