// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `df`: what a store takes on disk.
enum DiskUsageCommand {
  private static let verbose = OptionDefinition("--verbose", "-v", usage: "Show each image, container and layer")

  static let definition = CommandDefinition(
    "df", arguments: .none, usage: "Show what images, containers and layers take on disk",
    details: """
      Measures the graph root, the image store and the run root as "du --block-size=1 -s" does: allocated blocks, directories and
      records included, a file with several names once. While nothing is mounted the total is that of "du"; what is mounted is
      not counted. On file systems with reflinks, space that files share is counted for each of them, as "du" does; EXCLUSIVE is
      the space that no other file has, inside of the store or outside.

      Each layer counts once. SHARED is what several images have, UNIQUE what only one has, and RECLAIMABLE what no image in use
      and no container needs: "prune --all" frees that of images, "gc" that of left-overs, "delete-layer" that of layers. DOWNLOADS
      is what is being made or deleted now.
      """, options: [verbose, .json, Listing.format, Terminal.option]
  ) { (context: CommandContext) throws(StorageError) in
    let terminal = try Terminal(color: context.options[text: Terminal.option])
    let usage = try context.store.diskUsage()
    let free = try context.store.places().first { $0.role == .graphRoot }?.freeBytes
    let format = given(context.options[text: Listing.format]) ?? "table"
    if context.wantsJSON || format == "json" {
      context.console.printJSON(usage.json(free: free))
      return .success
    }
    let tables = DiskUsageTables(usage: usage)
    guard format == "table" else {
      context.console.write(try tables.parts.text(format, terminal, hasHeading: true))
      return .success
    }
    context.console.write(tables.summary.text(for: terminal))
    if let free { context.console.print("Free on disk: \(bytesText(free))") }
    if context.options[flag: verbose] {
      for table in tables.details { context.console.write("\n" + table.text(for: terminal)) }
    }
    return .success
  }
}
