// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `dedup`: equal files of layers share their blocks (cli 22.6).
enum DedupCommand {
  private static let method = OptionDefinition(
    "--hash-method", kind: .text(default: "crc"), usage: "Specify the hash function to use to detect identical files",
    values: ["crc", "size", "sha256"])

  static let definition = CommandDefinition(
    "dedup", arguments: .none, usage: "Dedup all images",
    details: """
      Lets files with the same content in the layers of images share their blocks, on file systems that can (btrfs, XFS with
      reflinks). The hash, crc, size or sha256, only finds candidates: the kernel compares them byte by byte. Prints how many
      bytes are shared, those that were before included.
      """, options: [method, .json]
  ) { (context: CommandContext) throws(StorageError) in
    do throws(StorageError) {
      let count = try context.store.dedup(hashMethod: context.options[text: method])
      if context.wantsJSON {
        context.console.printJSON(.object([.init("Deduped", .number(String(count)))]))
      } else {
        context.console.print("Deduplicated \(count) bytes")
      }
    } catch {
      if error.code == .invalidOption {
        throw StorageError(.usage, error.message, plain: "--hash-method: must be crc, size or sha256")
      }
      if context.wantsJSON {
        context.console.printJSON(.object([]))
        return .failure
      }
      throw error.wrapped("dedup")
    }
    return .success
  }
}
