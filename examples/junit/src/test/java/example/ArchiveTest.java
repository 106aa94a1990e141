package example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs under test read the orders of an archive. */
@Timeout(120)
class ArchiveTest {
    private static final String ORDERS = "../go/testdata/orders.karchive";
    private ArchiveBroker broker;

    @BeforeEach
    void start() throws Exception {
        broker = new ArchiveBroker(ORDERS);
    }

    @AfterEach
    void end() throws Exception {
        broker.close();
    }

    @Test
    void aConsumerReadsTheArchivesOrders() {
        var offsets = new ArrayList<Long>();
        for (var order : read("orders", new StringDeserializer(), 5)) {
            offsets.add(order.offset());
        }
        assertEquals(List.of(0L, 1L, 2L, 3L, 4L), offsets);
    }

    @Test
    void aStreamCountsOrdersByKey(@TempDir Path state) {
        var builder = new StreamsBuilder();
        builder.stream("orders", Consumed.with(Serdes.String(), Serdes.String())).groupByKey()
                .count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("counts")).withCachingDisabled())
                .toStream().to("order-counts", Produced.with(Serdes.String(), Serdes.Long()));
        var config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, "counter");
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker.address);
        config.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        config.put("auto.offset.reset", "earliest");
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        Map<String, Long> counts = new TreeMap<>();
        Map<String, Long> want = new TreeMap<>();
        for (var order : read("orders", new StringDeserializer(), 5)) {
            want.merge(order.key(), 1L, Long::sum);
        }
        try (var streams = new KafkaStreams(builder.build(), config)) {
            streams.start();
            for (var count : read("order-counts", new LongDeserializer(), 5)) {
                counts.put(count.key(), count.value());
            }
        }
        assertEquals(want, counts);
    }

    /** Reads n records of a topic from its start. */
    private <V> List<ConsumerRecord<String, V>> read(String topic, Deserializer<V> values, int n) {
        Map<String, Object> config = Map.of("bootstrap.servers", broker.address, "group.id", "reader-" + topic, "auto.offset.reset", "earliest",
                "metadata.max.age.ms", 500);
        var all = new ArrayList<ConsumerRecord<String, V>>();
        try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), values)) {
            consumer.subscribe(List.of(topic));
            while (all.size() < n) {
                consumer.poll(Duration.ofSeconds(1)).forEach(all::add);
            }
        }
        return all;
    }
}
