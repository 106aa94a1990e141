import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** Prints the first records of topics as a member of a group, as reader.py does: Reader.java BROKER PROTOCOL COUNT TOPIC... */
class Reader {
    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        p.put("bootstrap.servers", args[0]);
        p.put("group.protocol", args[1]);
        p.put("group.id", "reader-" + args[1]);
        p.put("auto.offset.reset", "earliest");
        p.put("isolation.level", "read_committed");
        p.put("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        p.put("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        int left = Integer.parseInt(args[2]);
        long until = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        StringBuilder out = new StringBuilder();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(p)) {
            consumer.subscribe(List.of(args).subList(3, args.length));
            while (left > 0) {
                if (System.nanoTime() > until) {
                    throw new IllegalStateException(left + " records did not come");
                }
                for (var r : consumer.poll(Duration.ofMillis(500))) {
                    left--;
                    out.append(r.topic()).append(' ').append(r.partition()).append(' ').append(r.offset()).append(' ').append(r.leaderEpoch().orElse(-1))
                        .append(' ').append(r.timestamp() > 0 ? "" + r.timestamp() : "-").append(' ').append(shown(r.key())).append(' ').append(shown(r.value()));
                    for (var h : r.headers()) {
                        byte[] name = h.key().replaceAll("[^\\x00-\\x7f]+", "?").getBytes("UTF-8");
                        out.append(' ').append(HexFormat.of().formatHex(name)).append('=').append(shown(h.value()));
                    }
                    out.append('\n');
                }
            }
        }
        System.out.print(out);
    }

    static String shown(byte[] b) throws Exception {
        if (b == null) {
            return "null";
        }
        if (b.length > 64) {
            return b.length + ":" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(b));
        }
        return "x" + HexFormat.of().formatHex(b);
    }
}
