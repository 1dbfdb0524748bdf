// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageConfig
import StowageModel
import StowageStore

/// `complete-names WORD KIND…`: what completion scripts ask for, one name a line. It is in no list of commands.
///
/// It looks at record files only: no store is opened, no lock taken, no directory made, and whatever goes wrong is silence.
enum CompleteNamesCommand {
  static let definition = CommandDefinition(
    "complete-names", arguments: .any, synopsis: "WORD KIND [...]", usage: "List names for completion",
    withoutStore: list)

  @Sendable private static func list(
    _ options: OptionValues, _ arguments: [String], _ console: Console
  ) throws(StorageError) -> ExitStatus {
    guard let word = arguments.first else { return .success }
    let names = RecordedNames(storeOptions(options))
    var found: Set<String> = []
    for kind in arguments.dropFirst().compactMap(ArgumentKind.init) {
      found.formUnion(candidates(kind, names, isBegun: !word.isEmpty).filter { $0.utf8.starts(with: word.utf8) })
    }
    for name in found.sorted() where isHarmless(name) { console.print(name) }
    return .success
  }

  /// The store that the words choose, on top of the configuration; nothing of it if that cannot be read.
  private static func storeOptions(_ values: OptionValues) -> StoreOptions {
    var variables = processEnvironment()
    // Without one the configuration makes a run-time directory; this one is there, and has no containers.
    if variables["XDG_RUNTIME_DIR"]?.isEmpty ?? true { variables["XDG_RUNTIME_DIR"] = "/" }
    let given = [GlobalOptions.graph, GlobalOptions.run, GlobalOptions.driver, GlobalOptions.driverOptions]
    // Whoever completes a line is not told what is wrong with files.
    let defaults = (try? loadDefaultStoreSettings(environment: variables))?.options ?? StoreOptions()
    var options = given.contains(where: values.isGiven) ? StoreOptions() : defaults
    func text(_ option: OptionDefinition, _ otherwise: String) -> String {
      values.isGiven(option) ? values[text: option] : otherwise
    }
    options.graphRoot = text(GlobalOptions.graph, defaults.graphRoot)
    options.runRoot = text(GlobalOptions.run, defaults.runRoot)
    options.driverName = text(GlobalOptions.driver, options.driverName)
    options.imageStore = text(GlobalOptions.imageStore, options.imageStore)
    options.driverOptions += values[list: GlobalOptions.driverOptions]
    return options
  }

  /// What may stand for the objects of a kind.
  ///
  /// - Parameter isBegun: whether a word is begun; without one, identifiers of what has names are not shown.
  private static func candidates(_ kind: ArgumentKind, _ names: RecordedNames, isBegun: Bool) -> [String] {
    func all(_ objects: [RecordedNames.Object], _ id: (String) -> String = { $0 }) -> [String] {
      objects.flatMap { $0.names + (isBegun || $0.names.isEmpty ? [id($0.id)] : []) }
    }
    switch kind {
    case .layers: return all(names.objects(.layer))
    case .containers: return all(names.objects(.container))
    case .images: return all(names.objects(.image))
    case .shortImages:
      let images = names.objects(.image)
      return all(images, shortID) + shortNames(images)
    case .files, .command, .verbs, .shells: return []
    }
  }

  /// The ends of names that only one image has.
  private static func shortNames(_ images: [RecordedNames.Object]) -> [String] {
    var owners: [String: Set<String>] = [:]
    for image in images {
      for name in image.names where !name.contains("@") {
        guard let end = name.split(separator: "/").last else { continue }
        owners[String(end), default: []].insert(image.id)
      }
    }
    return owners.filter { $0.value.count == 1 }.map(\.key)
  }

  /// Whether a shell takes a name as it is: what is completed goes into a command line.
  private static func isHarmless(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.first != UInt8(ascii: "-")
      && name.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "._-+/:@".utf8.contains(byte)
        }
      }
  }
}
