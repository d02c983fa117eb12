package bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.MediaType;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** From HTTP to Kafka and back, as Spring's documentation of request and reply has it. */
@SpringBootApplication
public class Bench {
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  public static void main(String[] args) {
    SpringApplication.run(Bench.class, args);
  }

  @Bean
  ReplyingKafkaTemplate<String, String, String> replyingTemplate(
      ProducerFactory<String, String> producers,
      ConcurrentKafkaListenerContainerFactory<String, String> containers,
      @Value("${bench.replies}") String replies) {
    var template = new ReplyingKafkaTemplate<>(producers, containers.createContainer(replies));
    template.setDefaultReplyTimeout(DEADLINE);
    return template;
  }

  record Purchase(int amount, String item) {}

  @RestController
  static class Users {
    private final ReplyingKafkaTemplate<String, String, String> kafka;
    private final ObjectMapper json;
    private final String requests;

    Users(
        ReplyingKafkaTemplate<String, String, String> kafka,
        ObjectMapper json,
        @Value("${bench.requests}") String requests) {
      this.kafka = kafka;
      this.json = json;
      this.requests = requests;
    }

    @PostMapping(path = "/user/{key}/buy_item", produces = MediaType.APPLICATION_JSON_VALUE)
    CompletableFuture<String> buyItem(@PathVariable String key, @RequestBody Purchase args)
        throws JsonProcessingException {
      var value = json.writeValueAsString(Map.of("key", key, "method", "buy_item", "args", args));
      return kafka.sendAndReceive(new ProducerRecord<>(requests, key, value)).thenApply(reply -> reply.value());
    }
  }
}
