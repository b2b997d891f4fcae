/*
 * heat.cpp: heat in a plate, in C++, with a handler that tells what is durable.
 *
 *     c++ -std=c++17 -O2 heat.cpp -o heat_cpp -lsnapshot
 *     ./heat_cpp STORE [STEPS] [DUMP]
 */
#include <snapshot.hpp>

#include <cstring>
#include <fstream>
#include <iomanip>
#include <iostream>

constexpr std::size_t N = 256;

struct plate {
    double cells[N][N];
};

template <> struct snapshot::layout<plate> : snapshot::structure<plate> {
    static constexpr const char *name = "plate-256";
};

static void sweep(const plate &before, plate &after)
{
    for (std::size_t i = 1; i < N - 1; i++)
        for (std::size_t j = 1; j < N - 1; j++)
            after.cells[i][j] = 0.25 * ((before.cells[i - 1][j] + before.cells[i + 1][j]) +
                                        (before.cells[i][j - 1] + before.cells[i][j + 1]));
}

static void finish(const plate &field, const char *dump)
{
    std::uint64_t checksum = 0, words[N * N];
    std::memcpy(words, &field, sizeof words);
    for (std::uint64_t word : words)
        checksum ^= word;
    if (dump != nullptr) {
        std::ofstream file(dump, std::ios::binary);
        file.exceptions(std::ios::failbit | std::ios::badbit);
        file.write(reinterpret_cast<const char *>(&field), sizeof field);
    }
    std::cout << "checksum " << std::hex << std::setw(16) << std::setfill('0') << checksum << "\n";
}

int main(int count, char **arguments)
try {
    const std::int64_t steps = count > 2 ? std::stoll(arguments[2]) : 2000;
    snapshot::session session(count > 1 ? arguments[1] : "heat.store");
    auto &step = session.value<std::int64_t>("step");
    auto plates = session.array<plate>("plates", 2); // by turns the field before and after a step
    std::cout << "from generation " << session.generation() << std::endl;
    if (!session.restarted()) {
        for (auto &one : plates) {
            for (std::size_t i = 0; i < N; i++)
                one.cells[i][0] = 100;
            for (std::size_t j = 1; j < N / 2; j++)
                one.cells[0][j] = 50;
        }
    }

    snapshot::handler tells;
    tells.committed = [](std::int64_t generation) { std::clog << generation << " is durable\n"; };
    session.on_checkpoint("tells", tells);
    for (; step < steps; ++step) {
        if (step % 50 == 0)
            session.checkpoint();
        const auto turn = static_cast<std::size_t>(step % 2);
        sweep(plates[turn], plates[1 - turn]);
    }
    finish(plates[static_cast<std::size_t>(steps % 2)], count > 3 ? arguments[3] : nullptr);
    session.close();
    return 0;
} catch (const std::exception &error) {
    std::cerr << "heat_cpp: " << error.what() << "\n";
    return 1;
}
