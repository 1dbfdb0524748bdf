// SPDX-License-Identifier: Apache-2.0
import StowageTestSupport
import SystemPackage
import Testing

/// Help texts, their streams and statuses (cli 5 and 26.1).
@Suite("Help") struct HelpTests {
  let store: CommandStore

  init() throws { store = try CommandStore("vfs") }

  private static let commands = """
    check                         Check storage consistency
    config                        Print storage library configuration as JSON
    container                     Examine a container
    list-container-data           List data items that are attached to an container
    get-container-data            Get data that is attached to an container
    get-container-data-size       Get size of data that is attached to an container
    get-container-data-digest     Get digest of data that is attached to an container
    set-container-data            Set data that is attached to an container
    get-container-dir             Find the container's associated data directory
    get-container-run-dir         Find the container's associated runtime directory
    container-parent-owners       Compute the set of unmapped parent UIDs and GIDs of the container
    containers                    List containers
    copy                          Copy files or directories into a layer, possibly from another layer
    create-storage-layer          Create a new layer only in the storage driver
    create-layer                  Create a new layer
    import-layer                  Import a new layer
    create-image                  Create a new image using layers
    create-container              Create a new container from an image
    dedup                         Dedup all images
    delete                        Delete a layer or image or container, with no safety checks
    delete-layer                  Delete a layer, with safety checks
    delete-image                  Delete an image, with safety checks
    delete-container              Delete a container, with safety checks
    changes                       Compare two layers
    diffsize                      Compare two layers
    diff                          Compare two layers
    applydiff                     Apply a diff to a layer
    applydiff-using-staging-dir   Apply a diff to a layer using a staging directory
    exists                        Check if a layer or image or container exists
    gc                            Perform garbage collection
    image                         Examine an image
    list-image-data               List data items that are attached to an image
    get-image-data                Get data that is attached to an image
    get-image-data-size           Get size of data that is attached to an image
    get-image-data-digest         Get digest of data that is attached to an image
    set-image-data                Set data that is attached to an image (with sometimes wrong digest)
    get-image-dir                 Find the image's associated data directory
    get-image-run-dir             Find the image's associated runtime directory
    images                        List images
    images-by-digest              List images by digest
    layer                         Examine a layer
    layer-parent-owners           Compute the set of unmapped parent UIDs and GIDs of the layer
    list-layer-data               List data items that are attached to a layer
    get-layer-data                Get data that is attached to a layer
    set-layer-data                Set data that is attached to a layer
    layers                        List layers
    storage-layers                List storage layers
    metadata                      Retrieve layer, image, or container metadata
    set-metadata                  Set layer, image, or container metadata
    mount                         Mount a layer or container
    unmount                       Unmount an image, layer or container
    mounted                       Check if a file system is mounted
    get-names                     Get layer, image, or container name or names
    add-names                     Add layer, image, or container name or names
    remove-names                  Remove layer, image, or container name or names
    set-names                     Set layer, image, or container name or names
    shutdown                      Shut down layer storage
    status                        Check on graph driver status
    unshare                       Run a command in a user namespace
    version                       Return containers-storage version information
    wipe                          Wipe all layers, images, and containers

    """
  private static let options = """

      --debug, -D             Print debugging information
      --graph, -g             Root of the storage tree
      --help                  Print usage
      --image-store           Root of the separate image store
      --run, -R               Root of the runtime state tree
      --storage-driver, -s    Storage driver to use ($STORAGE_DRIVER)
      --storage-opt=[]        Set storage driver options ($STORAGE_OPTS)
      --transient-store       Transient store
      --unshare, -U           Run in a user namespace (default false)

    """

  private static var text: String {
    let lines = commands.split(separator: "\n").map { "  \($0)\n" }.joined()
    return "Usage: containers-storage command [options [...]]\n\nCommands:\n\n\(lines)\nOptions:\n"
  }

  /// The program under its other name, which is not followed by new commands in help.
  private func underReferenceName() throws -> String {
    let link = store.directory.appending("containers-storage")
    _ = try run("ln", "-sf", store.program, link.string)
    return link.string
  }

  @Test(.tags(.root), .enabled(if: isRoot, "the default of --unshare is for root"))
  func `Help that was asked for is on standard output`() throws {
    let program = try underReferenceName()
    for word in ["--help", "--help=true"] {
      let result = try run(program, word)
      #expect(result.shows(HelpTests.text + HelpTests.options), "\(result)")
    }
    #expect(try run(program, "--help", "layers").shows(HelpTests.text + HelpTests.options))
    let deprecated = try run(program, "-help")
    let warning = "Warning: '-help' is deprecated, it will be replaced by '--help' soon. See usage.\n"
    #expect(deprecated.shows(HelpTests.text + HelpTests.options, error: warning), "\(deprecated)")
  }

  @Test(.tags(.root), .enabled(if: isRoot, "the default of --unshare is for root"))
  func `Help that was not asked for is on both streams`() throws {
    let program = try underReferenceName()
    #expect(try run(program, "-D").shows(HelpTests.text, error: HelpTests.options, status: 1))
    let short = try run(program, "-h")
    let requested = "flag: help requested while parsing arguments (1)\n"
    #expect(
      short.shows(
        HelpTests.text + requested + HelpTests.text, error: HelpTests.options + HelpTests.options, status: 1),
      "\(short)")
    // Without any word the option --help is not defined yet (Debian's program).
    let empty = try run(program)
    let lines = HelpTests.options.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      empty.shows(
        HelpTests.text, error: lines.filter { !$0.hasPrefix("  --help") }.joined(separator: "\n"), status: 1),
      "\(empty)")
  }

  @Test(.tags(.root), .enabled(if: isRoot, "the default of --unshare is for root"))
  func `Command help shows the values before the command`() throws {
    let reference = try CommandStore("vfs", program: try underReferenceName())
    let result = try reference.bare(
      ["-g", "/x/g", "-R", "/y", "--storage-opt", "a=b", "--storage-opt", "c=d", "layers", "--help"],
      adding: ["HOME": "/x"])
    let text = "Usage: containers-storage layers [options [...]]\n\nList layers\n\nOptions:\n"
    let options = """

        --debug, -D                Print debugging information
        --graph, -g=~/g            Root of the storage tree
        --image-store              Root of the separate image store
        --json, -j                 Prefer JSON output
        --quick, -q                Just the IDs
        --run, -R=/y               Root of the runtime state tree
        --storage-driver, -s       Storage driver to use ($STORAGE_DRIVER)
        --storage-opt=[a=b c=d]    Set storage driver options ($STORAGE_OPTS)
        --transient-store          Transient store
        --tree, -t                 Use a tree
        --unshare, -U              Run in a user namespace (default false)

      """
    #expect(result.shows(text, error: options, status: 125), "\(result)")
  }

  @Test func `What the method of deduplication is for is said`() throws {
    #expect(
      try store("dedup", "--help").errorText.contains(
        "    Specify the hash function to use to detect identical files\n"))
  }

  @Test func `An alias stays an alias, an empty synopsis leaves its space`() throws {
    let program = try underReferenceName()
    #expect(
      try run(program, "umount", "-h").outputText.hasPrefix(
        "Usage: containers-storage umount LayerOrContainerNameOrID\n"))
    #expect(try store("version", "-help").outputText.hasPrefix("Usage: containers-storage version \n\nReturn "))
  }

  @Test(
    .tags(.interop, .slow), .enabled(if: commandExists("containers-storage")),
    arguments: HelpTests.commands.split(separator: "\n").map { String($0.prefix { $0 != " " }) })
  func `Command help equals that of Debian's program`(command: String) throws {
    // Commands that 1.43 does not have, and copy, whose help crashes there.
    let unknown = [
      "check", "config", "create-storage-layer", "dedup", "applydiff-using-staging-dir", "gc", "get-image-dir",
      "get-image-run-dir", "storage-layers", "remove-names", "unshare", "copy",
    ]
    if unknown.contains(command) { return }
    let debian = try CommandStore("vfs", program: "/usr/bin/containers-storage")
    let dropIn = try CommandStore("vfs", program: try underReferenceName())
    let (ours, theirs) = (try dropIn(command, "--help"), try debian(command, "--help"))
    #expect(ours.status == theirs.status)
    #expect(ours.outputText == theirs.outputText)
    #expect(comparableOptions(ours.errorText) == comparableOptions(theirs.errorText))
  }

  /// Options as name and text, less what changed after 1.43; column widths and scratch paths are left out.
  private func comparableOptions(_ text: String) -> [String] {
    text.split(separator: "\n").filter { line in
      ![
        "  --image-store", "  --transient-store", "  --unshare", "  --quick", "  --read-only", "  --ro", "  --graph",
        "  --run",
      ]
      .contains { line.hasPrefix($0) }
    }.map { String($0).replacing(#/   +/#, with: "  ").replacing("Name to add", with: "New name") }
  }
}
