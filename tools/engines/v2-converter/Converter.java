import io.github.linuxforhealth.hl7.HL7ToFHIRConverter;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Locale;

/**
 * Converts one HL7 v2 message again and again, as often as it is told. A line of standard input is `file milliseconds`; the answer is one line,
 * `messages seconds characters-of-the-last-bundle`, or, after `file bundle`, the bundle itself with its line ends taken out.
 */
public final class Converter {
  public static void main(String[] arguments) throws Exception {
    PrintStream answers = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8);
    // Its libraries write to standard output.
    System.setOut(System.err);
    HL7ToFHIRConverter converter = new HL7ToFHIRConverter();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      int space = line.lastIndexOf(' ');
      Path file = Paths.get(line.substring(0, space));
      String message = Files.readString(file, StandardCharsets.UTF_8);
      String asked = line.substring(space + 1);
      if (asked.equals("bundle")) {
        answers.println(converter.convert(message).replace('\n', ' ').replace('\r', ' '));
        continue;
      }
      long most = Long.parseLong(asked) * 1_000_000L;
      long began = System.nanoTime();
      long count = 0;
      int length = 0;
      do {
        length = converter.convert(message).length();
        count += 1;
      } while (System.nanoTime() - began < most);
      double seconds = (System.nanoTime() - began) / 1e9;
      answers.println(String.format(Locale.ROOT, "%d %.6f %d", count, seconds, length));
    }
  }
}
