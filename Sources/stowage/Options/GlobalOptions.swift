// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageConfig

/// The options that every command has, accepted before and after the command's name (cli 4).
enum GlobalOptions {
  static let debug = OptionDefinition("--debug", "-D", usage: "Print debugging information")
  static let graph = OptionDefinition("--graph", "-g", kind: .text(), usage: "Root of the storage tree")
  static let imageStore = OptionDefinition("--image-store", kind: .text(), usage: "Root of the separate image store")
  static let run = OptionDefinition("--run", "-R", kind: .text(), usage: "Root of the runtime state tree")
  static let driver = OptionDefinition(
    "--storage-driver", "-s", kind: .text(), usage: "Storage driver to use ($STORAGE_DRIVER)",
    values: ["overlay", "vfs", "btrfs"])
  static let driverOptions = OptionDefinition(
    "--storage-opt", kind: .list, usage: "Set storage driver options ($STORAGE_OPTS)")
  static let transient = OptionDefinition("--transient-store", usage: "Transient store")

  static let lockTimeout = OptionDefinition(
    "--lock-timeout", kind: .text(),
    usage: "Give up when a lock is not free after this many seconds (default: wait)", isAdditional: true)

  /// True by default for callers without the rights of root.
  static let unshare: OptionDefinition = {
    let isRootless = Rootlessness(environment: processEnvironment()).isRootless
    return OptionDefinition(
      "--unshare", "-U", kind: .flag(default: isRootless), usage: "Run in a user namespace (default \(isRootless))")
  }()

  /// Only before the command; behind it, help is no option but a request.
  static let help = OptionDefinition(
    "--help", usage: "Print usage", deprecatedName: (name: "-help", replacement: "--help"))

  /// Help as `stowage` takes it, in front of a command and behind it.
  static let stowageHelp = OptionDefinition("--help", "-h", usage: "Show help")
  /// Only for `stowage`, in front of a command.
  static let version = OptionDefinition("--version", usage: "Show the version", isAdditional: true)

  static let all = [debug, graph, imageStore, run, driver, driverOptions, transient, lockTimeout, unshare]
}
