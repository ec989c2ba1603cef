import { Gathered, isLanguage, versionOf, wrong, type Release, type ReleaseFile, type ReleaseOptions } from './release.js';
import { readXml, type XmlListener, type XmlTag } from './xml-events.js';

const NOTICE = 'ICD-10: World Health Organization; a national edition is of its publisher. Under their terms.';

/**
 * ICD-10 in the Classification Markup Language (ClaML 2.0 and 3.0, EN 14463), as WHO and national centres give it: chapters, blocks and categories
 * with their preferred rubrics in each language, and what stands above them. Codes of modifiers are not put together.
 */
export async function readIcd10(files: readonly ReleaseFile[], options: ReleaseOptions): Promise<Release> {
  const [file] = files;
  if (file === undefined || files.length > 1) throw wrong(file?.name ?? 'icd10', 'one ClaML file is wanted');
  const reader = new ClamlReader(options);
  await readXml(file, reader);
  const concepts = reader.gathered.done(file.name);
  for (const [code, parent] of reader.parents) reader.gathered.parent(code, parent);
  return {
    system: options.system ?? 'http://hl7.org/fhir/sid/icd-10',
    version: versionOf(options, reader.version, file.name),
    isHierarchy: true,
    notice: NOTICE,
    concepts,
  };
}

class ClamlReader implements XmlListener {
  readonly gathered = new Gathered();
  readonly parents: [string, string][] = [];
  version: string | undefined;
  private code: string | undefined;
  private isPreferred = false;
  private label: { language: string; text: string } | undefined;
  /** Depth inside of a reference, whose text is a code and no word. */
  private references = 0;

  constructor(private readonly options: ReleaseOptions) {}

  open(tag: XmlTag, place: string): void {
    this.opened[tag.name]?.(tag, place);
  }

  private readonly opened: Readonly<Record<string, (tag: XmlTag, place: string) => void>> = {
    Title: ({ attributes }) => void (this.version = attributes['version'] ?? this.version),
    Class: ({ attributes }, place) => this.begin(attributes['code'] ?? '', place),
    SuperClass: ({ attributes }) => {
      if (this.code !== undefined) this.parents.push([this.code, attributes['code'] ?? '']);
    },
    Rubric: ({ attributes }) => void (this.isPreferred = attributes['kind'] === 'preferred'),
    Label: (tag, place) => {
      if (this.isPreferred) this.label = { language: this.languageOf(tag, place), text: '' };
    },
    Reference: () => void (this.references += 1),
  };

  text(text: string): void {
    if (this.label !== undefined && this.references === 0) this.label.text += text;
  }

  close(name: string): void {
    if (name === 'Class') this.code = undefined;
    else if (name === 'Rubric') this.isPreferred = false;
    else if (name === 'Reference') this.references -= 1;
    else if (name === 'Label') this.endLabel();
  }

  private begin(code: string, place: string): void {
    this.code = code;
    this.gathered.add(code, place);
  }

  private endLabel(): void {
    if (this.label !== undefined && this.code !== undefined)
      this.gathered.name(this.code, this.label.language, this.label.text.replace(/\s+/g, ' '));
    this.label = undefined;
  }

  private languageOf({ attributes }: XmlTag, place: string): string {
    const language = attributes['xml:lang'] ?? this.options.language ?? '';
    if (!isLanguage(language)) throw wrong(place, 'the label names no language: give it by --language');
    return language;
  }
}
