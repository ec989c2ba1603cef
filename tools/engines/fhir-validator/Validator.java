import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.ConceptValidationOptions;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.IllformedLocaleException;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.ValueSet;

/**
 * HL7's validator for FHIR R4 as one process for many documents, offline. Arguments: archives of npm packages with profiles, value sets and
 * code systems, and bundles of such as JSON. Each line of standard input is `{"file": path, "profile": canonical or absent}`; each gets one line on standard output,
 * `{"file", "issues": [{"severity", "where", "message"}]}`. Before the first: `{"ready": true}`. Ends with its input.
 */
public final class Validator {
  private static final Set<String> KINDS = Set.of("StructureDefinition", "ValueSet", "CodeSystem");
  /** Canonicals pinned to a version, which this validator does not resolve. */
  private static final Pattern PIN = Pattern.compile("(\"https?://[^\"|]+)\\|[0-9][^\"]*\"");

  public static void main(String[] archives) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    // Libraries print where they like; the answers are alone on standard output.
    System.setOut(System.err);
    Gson gson = new Gson();
    FhirValidator validator = validatorOf(FhirContext.forR4(), archives);
    out.println("{\"ready\":true}");
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject asked = gson.fromJson(line, JsonObject.class);
      out.println(gson.toJson(answerOf(validator, asked)));
    }
  }

  private static FhirValidator validatorOf(FhirContext context, String[] archives) throws IOException {
    PrePopulatedValidationSupport packages = new PrePopulatedValidationSupport(context);
    for (String archive : archives) {
      if (archive.endsWith(".json")) loadBundle(context, packages, archive);
      else load(context, packages, archive);
    }
    UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
    ValidationSupportChain chain = new ValidationSupportChain(
        new DefaultProfileValidationSupport(context),
        packages,
        new Languages(context),
        new CommonCodeSystemsTerminologyService(context),
        new InMemoryTerminologyServerValidationSupport(context),
        new SnapshotGeneratingValidationSupport(context),
        unknown);
    FhirInstanceValidator instance = new FhirInstanceValidator(chain);
    instance.setNoTerminologyChecks(false);
    instance.setErrorForUnknownProfiles(true);
    return context.newValidator().registerValidatorModule(instance);
  }

  /**
   * R4 prefers the common languages and allows every one (Patient.communication.language: maxValueSet all-languages, BCP 47). This validator counts what
   * is not in the short list as an error, HL7's own IPS example with fr-LU among them.
   */
  private record Languages(FhirContext context) implements IValidationSupport {
    private static final String SHORT_LIST = "http://hl7.org/fhir/ValueSet/languages";

    @Override
    public FhirContext getFhirContext() {
      return context;
    }

    @Override
    public boolean isValueSetSupported(ValidationSupportContext support, String url) {
      return SHORT_LIST.equals(url);
    }

    @Override
    public CodeValidationResult validateCodeInValueSet(
        ValidationSupportContext support, ConceptValidationOptions options, String system, String code, String display, IBaseResource valueSet) {
      return SHORT_LIST.equals(((ValueSet) valueSet).getUrl()) ? judged(system, code) : null;
    }

    @Override
    public CodeValidationResult validateCode(
        ValidationSupportContext support, ConceptValidationOptions options, String system, String code, String display, String url) {
      return SHORT_LIST.equals(url) ? judged(system, code) : null;
    }

    /** A sender's own code may stand beside a language's: by itself it is none, and beside one it is no error. */
    private static CodeValidationResult judged(String system, String code) {
      if (isLanguage(system, code)) return new CodeValidationResult().setCode(code);
      return new CodeValidationResult().setSeverity(IssueSeverity.WARNING).setMessage("not a language of BCP 47");
    }

    private static boolean isLanguage(String system, String code) {
      if (code == null || system != null && !system.isEmpty() && !system.equals("urn:ietf:bcp:47")) return false;
      try {
        return !new Locale.Builder().setLanguageTag(code).build().getLanguage().isEmpty();
      } catch (IllformedLocaleException malformed) {
        return false;
      }
    }
  }

  private static void load(FhirContext context, PrePopulatedValidationSupport support, String archive) throws IOException {
    IParser parser = context.newJsonParser();
    try (TarArchiveInputStream tar = new TarArchiveInputStream(new GzipCompressorInputStream(new FileInputStream(archive)))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        String name = entry.getName();
        if (!name.matches("package/(StructureDefinition|ValueSet|CodeSystem)-[^/]+\\.json")) continue;
        String text = PIN.matcher(new String(tar.readAllBytes(), StandardCharsets.UTF_8)).replaceAll("$1\"");
        IBaseResource resource = parser.parseResource(text);
        if (KINDS.contains(resource.fhirType())) support.addResource(resource);
      }
    }
  }

  /** Definitions one by one: elements of R5 as extensions in R4 (R5, section 2.1.23), whose packages this validator does not load. */
  private static void loadBundle(FhirContext context, PrePopulatedValidationSupport support, String file) throws IOException {
    Bundle bundle = context.newJsonParser().parseResource(Bundle.class, Files.readString(Path.of(file)));
    for (Bundle.BundleEntryComponent entry : bundle.getEntry()) support.addResource(entry.getResource());
  }

  private static JsonObject answerOf(FhirValidator validator, JsonObject asked) throws IOException {
    String file = asked.get("file").getAsString();
    ValidationOptions options = new ValidationOptions();
    if (asked.has("profile")) options.addProfile(asked.get("profile").getAsString());
    JsonArray issues = new JsonArray();
    for (SingleValidationMessage message : validator.validateWithResult(Files.readString(Path.of(file)), options).getMessages()) {
      JsonObject issue = new JsonObject();
      issue.addProperty("severity", String.valueOf(message.getSeverity().getCode()));
      issue.addProperty("where", message.getLocationString());
      issue.addProperty("message", message.getMessage());
      issues.add(issue);
    }
    JsonObject answer = new JsonObject();
    answer.addProperty("file", file);
    answer.add("issues", issues);
    return answer;
  }
}
