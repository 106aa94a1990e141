import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Writes ten records with Apicurio's serializers for Avro, or reads and prints them: Stock.java write|read BROKERS REGISTRY. */
class Stock {
    static final String TOPIC = "people";
    static final int COUNT = 10;

    public static void main(String[] args) {
        Properties p = new Properties();
        p.put("bootstrap.servers", args[1]);
        p.put("apicurio.registry.url", args[2]);
        p.put("apicurio.registry.auto-register", "true");
        p.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        p.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        p.put("value.serializer", "io.apicurio.registry.serde.avro.AvroKafkaSerializer");
        p.put("value.deserializer", "io.apicurio.registry.serde.avro.AvroKafkaDeserializer");
        p.put("group.id", "stock");
        p.put("auto.offset.reset", "earliest");
        if (args[0].equals("write")) {
            write(p);
        } else {
            read(p);
        }
        System.exit(0); // the client of the registry has threads that stay
    }

    static void write(Properties p) {
        Schema schema = new Schema.Parser().parse("""
            {"type":"record","name":"Person","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"email","type":["null","string"]},
            {"name":"parent","type":["null",{"type":"record","name":"Parent","fields":[{"name":"id","type":"long"}]}],"default":null}]}""");
        try (KafkaProducer<String, GenericRecord> producer = new KafkaProducer<>(p)) {
            for (long i = 0; i < COUNT; i++) {
                GenericRecord parent = new GenericData.Record(schema.getField("parent").schema().getTypes().get(1));
                parent.put("id", 100 + i);
                GenericRecord person = new GenericData.Record(schema);
                person.put("id", i);
                person.put("email", "p" + i + "@example.com");
                person.put("parent", parent);
                producer.send(new ProducerRecord<>(TOPIC, "k" + i, person));
            }
        }
    }

    static void read(Properties p) {
        try (KafkaConsumer<String, GenericRecord> consumer = new KafkaConsumer<>(p)) {
            consumer.subscribe(List.of(TOPIC));
            long until = System.nanoTime() + Duration.ofMinutes(2).toNanos();
            for (int n = 0; n < COUNT; ) {
                if (System.nanoTime() > until) {
                    throw new IllegalStateException(n + " records came");
                }
                for (var r : consumer.poll(Duration.ofMillis(500))) {
                    System.out.println(r.key() + " " + r.value());
                    n++;
                }
            }
        }
    }
}
