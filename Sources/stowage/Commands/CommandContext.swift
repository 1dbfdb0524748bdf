// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// What a command works with.
final class CommandContext {
  let store: Store
  let options: OptionValues
  let arguments: [String]
  let console: Console
  /// Whether what is shown is for people, or byte for byte the reference's.
  let face: Face
  /// Whether mounts end with this command, because it has a mount namespace of its own.
  let isInPassingNamespace: Bool

  init(
    store: Store, options: OptionValues, arguments: [String], console: Console, face: Face,
    isInPassingNamespace: Bool = false
  ) {
    self.store = store
    self.options = options
    self.arguments = arguments
    self.console = console
    self.face = face
    self.isInPassingNamespace = isInPassingNamespace
  }

  /// Whether `--json` was given; only for commands that have it.
  var wantsJSON: Bool { options[flag: .json] }

  /// Prints a new object: its identifier, and its names on lines of their own (cli 16).
  func printCreated(_ id: some StorageIdentifier, names: [String]) {
    console.print(id.rawValue)
    for name in names { console.print("\t" + name) }
  }

  /// Prints texts as a JSON list, or one a line.
  func printList(_ texts: [String], whenEmpty: Console.EmptyList) {
    if wantsJSON {
      console.printJSON(strings: texts, whenEmpty: whenEmpty)
    } else {
      for text in texts { console.print(text) }
    }
  }

  /// Finds each argument and shows those found, as JSON records or as blocks of text; under the reference's name those not found
  /// only show in the exit status (cli 13.2).
  func printFound<Item>(
    _ find: (String) throws(StorageError) -> Item, record: (Item) -> some PrintableRecord, block: (Item) -> Void
  ) -> ExitStatus {
    var found: [Item] = []
    for argument in arguments {
      do throws(StorageError) { found.append(try find(argument)) } catch {
        if face == .stowage { console.printError("\(argument): \(error.plainMessage)") }
      }
    }
    if wantsJSON {
      console.printJSON(records: found.map(record), whenEmpty: .emptyList)
    } else {
      for item in found { block(item) }
    }
    return found.count == arguments.count ? .success : .failure
  }
}

/// The text, nil if it is empty: how an option that was not given reads.
func given(_ text: String) -> String? { text.isEmpty ? nil : text }
