// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore
import SystemPackage

/// What the commands for big data items share; the three kinds differ in words and store operations (cli 20.1).
enum DataItems {
  static let output = OptionDefinition("--file", "-f", kind: .text(), usage: "Write data to file")
  static let input = OptionDefinition("--file", "-f", kind: .text(), usage: "Read data from file")

  /// Prints the keys, in the order in which they were first set.
  static func printNames(_ names: [String], _ context: CommandContext) {
    if context.wantsJSON {
      context.console.printJSON(strings: names, whenEmpty: .null)
    } else {
      for name in names { context.console.print(name) }
    }
  }

  /// Writes an item to the file named, or to standard output as it is.
  ///
  /// The item is fetched before the file is created (cli 25, W10).
  static func write(_ bytes: [UInt8], _ context: CommandContext) throws(StorageError) {
    if let path = given(context.options[text: output]) {
      try HostFile.write(bytes, to: path)
    } else {
      context.console.write(bytes)
    }
  }

  /// All of the file named, or of standard input.
  static func read(_ context: CommandContext) throws(StorageError) -> [UInt8] {
    guard let path = given(context.options[text: input]) else {
      return try HostFile.contents(of: FileDescriptor.standardInput, name: "/dev/stdin")
    }
    return try HostFile.contents(of: path)
  }
}
